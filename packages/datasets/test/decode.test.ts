import { readFileSync } from "node:fs";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { decodeImage, imageSize } from "../src/images/decode.ts";
import { put, temporaryFolder } from "./temporary.ts";

interface Golden {
  size: [number, number];
  cases: { name: string; base64: string; keras: number[]; gray?: number[] }[];
  crop: number[];
  bicubic: number[];
}

const golden = JSON.parse(readFileSync(new URL("./golden/decode.json", import.meta.url), "utf8")) as Golden;
const bytesOf = (name: string) => Buffer.from(golden.cases.find((each) => each.name === name)!.base64, "base64");

/** How far bytes are from a golden's tenths of a level. */
function distance(data: Uint8Array, tenths: readonly number[]) {
  expect(data).toHaveLength(tenths.length);
  const far = tenths.map((value, i) => Math.abs(Math.min(255, Math.max(0, value / 10)) - data[i]!));
  return { most: Math.max(...far), mean: far.reduce((sum, each) => sum + each, 0) / far.length };
}

describe("decoding and resizing give the pixels of Keras' image_dataset_from_directory, rounded", () => {
  it.each(golden.cases)("$name", async ({ base64, keras }) => {
    const { data } = await decodeImage(Buffer.from(base64, "base64"), { size: golden.size });
    expect(distance(data, keras).most).toBeLessThanOrEqual(0.551);
  });

  it.each(golden.cases.filter(({ gray }) => gray !== undefined))("$name in gray", async ({ base64, gray }) => {
    const { data } = await decodeImage(Buffer.from(base64, "base64"), { size: golden.size, channels: 1 });
    expect(distance(data, gray!).most).toBeLessThanOrEqual(0.551);
  });

  it.each([
    ["crop to aspect ratio", { crop: true }, golden.crop],
    ["bicubic", { resize: "bicubic" as const }, golden.bicubic],
  ])("%s", async (_, options, keras) => {
    const { data } = await decodeImage(bytesOf("rgb.png"), { size: golden.size, ...options });
    expect(distance(data, keras).most).toBeLessThanOrEqual(0.551);
  });
});

/** A picture of four even quarters: red, green / blue, white. */
const quarters = Buffer.from(
  Array.from({ length: 16 * 24 }, (_, pixel) => {
    const [right, low] = [pixel % 24 >= 12, pixel >= 8 * 24];
    return low ? (right ? [255, 255, 255] : [0, 0, 255]) : right ? [0, 255, 0] : [255, 0, 0];
  }).flat(),
);
const picture = () => sharp(quarters, { raw: { width: 24, height: 16, channels: 3 } });

describe("decodeImage", () => {
  it.each([
    ["JPEG", () => picture().jpeg({ quality: 95, chromaSubsampling: "4:4:4" })],
    ["PNG", () => picture().png()],
    ["WebP", () => picture().webp({ lossless: true })],
    ["AVIF", () => picture().avif({ quality: 90, chromaSubsampling: "4:4:4" })],
    ["GIF", () => picture().gif()],
    ["TIFF", () => picture().tiff({ compression: "lzw" })],
  ])("reads %s", async (_, make) => {
    const { data, shape } = await decodeImage(await make().toBuffer());
    expect(shape).toEqual([16, 24, 3]);
    const at = (row: number, column: number) => [
      ...data.subarray((row * 24 + column) * 3, (row * 24 + column) * 3 + 3),
    ];
    for (const [place, color] of [
      [at(3, 5), [255, 0, 0]],
      [at(3, 18), [0, 255, 0]],
      [at(12, 5), [0, 0, 255]],
      [at(12, 18), [255, 255, 255]],
    ] as const)
      for (const [channel, value] of place.entries()) expect(Math.abs(value - color[channel]!)).toBeLessThanOrEqual(12);
  });

  it("brings a CMYK JPEG to RGB", async () => {
    const { data } = await decodeImage(await picture().toColourspace("cmyk").jpeg({ quality: 95 }).toBuffer());
    const [red, green, blue] = data;
    expect([red! > 200, green! < 40, blue! < 40]).toEqual([true, true, true]);
    expect([...data.subarray(-3)]).toEqual([255, 255, 255]);
  });

  it("takes the first frame of an animation", async () => {
    const frames = [1, 2].map((level) => Buffer.alloc(4 * 4 * 3, level * 100));
    const animation = await sharp(Buffer.concat(frames), { raw: { width: 4, height: 8, channels: 3, pageHeight: 4 } })
      .gif({ delay: [50, 50] })
      .toBuffer();
    const { data, shape } = await decodeImage(animation);
    expect(shape).toEqual([4, 4, 3]);
    expect(data[0]).toBe(100);
  });

  it("turns an image upright as EXIF says, unless told not to", async () => {
    const turned = await picture().jpeg({ quality: 95 }).withMetadata({ orientation: 6 }).toBuffer();
    expect((await decodeImage(turned)).shape).toEqual([24, 16, 3]);
    expect((await decodeImage(turned, { orient: false })).shape).toEqual([16, 24, 3]);
    const file = put(temporaryFolder(), "turned.jpg", turned);
    expect(await imageSize(file)).toEqual([24, 16]);
    expect(await imageSize(file, { orient: false })).toEqual([16, 24]);
  });

  it("makes luma of colours for one channel", async () => {
    const { data, shape } = await decodeImage(await picture().png().toBuffer(), { channels: 1 });
    expect(shape).toEqual([16, 24, 1]);
    expect([data[0], data[20], data[15 * 24], data[15 * 24 + 20]]).toEqual([76, 150, 29, 255]);
  });

  it("keeps the upper byte of 16-bit gray", async () => {
    const deep = sharp(
      Uint16Array.from({ length: 16 }, (_, i) => i * 4096 + 255),
      { raw: { width: 4, height: 4, channels: 1 } },
    );
    const { data } = await decodeImage(await deep.toColourspace("grey16").png().toBuffer(), { channels: 1 });
    expect([...data]).toEqual(Array.from({ length: 16 }, (_, i) => i * 16));
  });

  it.each([
    ["an empty file", new Uint8Array(0), "cannot be decoded: the file is empty"],
    ["no image", Buffer.from("not an image at all"), "cannot be decoded: it starts as no known image does (6e6f7420)"],
    [
      "a truncated JPEG",
      bytesOf("444.jpg").subarray(0, 1200),
      "cannot be decoded: VipsJpeg: premature end of JPEG image",
    ],
    ["a truncated PNG", bytesOf("rgb.png").subarray(0, 900), "cannot be decoded: "],
  ])("refuses %s", async (_, content, message) => {
    const file = put(temporaryFolder(), "x.jpg", content);
    await expect(decodeImage(file)).rejects.toThrow(`${file} ${message}`);
  });

  it.each([
    [{ size: [0, 5] as const }, "size should be [height, width] in whole pixels from 1, not [0, 5]"],
    [
      { resize: "lanczos3" as never },
      "resize should be one of bilinear, nearest, bicubic, area, antialiased, not lanczos3",
    ],
    [{ channels: 2 as never }, "channels should be 1 or 3, not 2"],
  ])("refuses %o", async (options, message) => {
    await expect(decodeImage(bytesOf("rgb.png"), options)).rejects.toThrow(message);
  });
});
