import { readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { decodeImage, loadData } from "../src/index.ts";
import { jpegHead } from "../src/images/jpeg-head.ts";
import { put, temporaryFolder } from "./temporary.ts";

interface Golden {
  cases: { name: string; base64: string; shape: [number, number, number]; pixels: number[] }[];
}

const { cases } = JSON.parse(readFileSync(new URL("./golden/formats.json", import.meta.url), "utf8")) as Golden;
const bytesOf = (name: string) => Buffer.from(cases.find((each) => each.name === name)!.base64, "base64");

describe("an image is what Pillow reads", () => {
  it.each(cases)("$name", async ({ base64, shape, pixels }) => {
    const image = await decodeImage(Buffer.from(base64, "base64"));
    expect(image.shape).toEqual(shape);
    const off = pixels.map((value, place) => Math.abs(value - image.data[place]!));
    expect(Math.max(...off)).toBeLessThanOrEqual(1);
  });

  it.each([
    // 5 red, 6 green and 5 blue bits; the two pixels are pure red and half green.
    ["16 bits with masks", 16, [0xf800, 0x07e0, 0x001f], [0x00, 0xf8, 0x00, 0x04], [255, 0, 0, 0, 129, 0]],
    ["16 bits without", 16, undefined, [0x00, 0x7c, 0x1f, 0x00], [255, 0, 0, 0, 0, 255]],
  ])("a bitmap of %s", async (_, bits, masks, row, pixels) => {
    const { data } = await decodeImage(bitmap({ width: 2, height: 1, bits, masks, rows: row }));
    expect([...data]).toEqual(pixels);
  });

  it("a bitmap from the top", async () => {
    const rows = [1, 2, 3, 0, 4, 5, 6, 0];
    const upright = await decodeImage(bitmap({ width: 1, height: 2, bits: 24, rows }));
    const down = await decodeImage(bitmap({ width: 1, height: -2, bits: 24, rows }));
    expect([[...upright.data], [...down.data]]).toEqual([
      [6, 5, 4, 3, 2, 1],
      [3, 2, 1, 6, 5, 4],
    ]);
  });
});

/** A Windows bitmap; rows as they are stored. */
function bitmap({
  width,
  height,
  bits,
  rows,
  masks = [],
  compression = masks.length > 0 ? 3 : 0,
}: {
  width: number;
  height: number;
  bits: number;
  rows: readonly number[];
  masks?: readonly number[] | undefined;
  compression?: number;
}): Buffer {
  const start = 54 + 4 * masks.length;
  const file = Buffer.alloc(start + rows.length);
  file.write("BM");
  file.writeUInt32LE(start, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(width, 18);
  file.writeInt32LE(height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(bits, 28);
  file.writeUInt32LE(compression, 30);
  for (const [place, mask] of masks.entries()) file.writeUInt32LE(mask, 54 + 4 * place);
  file.set(rows, start);
  return file;
}

describe("an image is refused", () => {
  it.each<[string, () => Buffer, string]>([
    [
      "a bitmap that is compressed",
      () => bitmap({ width: 2, height: 1, bits: 8, rows: [0, 0, 0, 0], compression: 1 }),
      "it is a bitmap of compression 1; save it uncompressed, or as PNG",
    ],
    [
      "a bitmap that is cut off",
      () => bitmap({ width: 2, height: 3, bits: 24, rows: [1, 2, 3, 4, 5, 6, 0, 0] }),
      "it ends 16 bytes too early",
    ],
    ["a bitmap without its colors", () => bitmap({ width: 2, height: 1, bits: 8, rows: [1, 0, 0, 0] }), "no color 1"],
    [
      "a bitmap that says it is huge",
      () => bitmap({ width: 60_000, height: 60_000, bits: 24, rows: [0, 0, 0, 0] }),
      "it says it is 60000x60000, which is more than 89478485 pixels; if you trust the file, raise pixelLimit",
    ],
    [
      "a TIFF of floats",
      () => floatTiff(),
      "its pixels are of the type float, which says nothing of black and white; save it with 8 or 16 bits",
    ],
  ])("%s", async (_, make, reason) => {
    await expect(decodeImage(make())).rejects.toThrow(reason);
  });

  it("where it has more pixels than the limit, whatever decodes it", async () => {
    const folder = temporaryFolder();
    for (const label of ["a", "b"])
      for (let i = 0; i < 4; i++) {
        put(folder, `${label}/${i}.jpg`, await solid(30, 40).jpeg().toBuffer());
        put(folder, `${label}/${i}.png`, await solid(30, 40).png().toBuffer());
      }
    const { train } = await loadData(folder, { size: [8, 8], pixelLimit: 1199 });
    for await (const { labels } of train.batches({ batch: 16 })) expect(labels).toHaveLength(0);
    expect(train.skipped).toHaveLength(16);
    expect(train.skipped[0]!.reason).toMatch(/^it says it is 30x40, which is more than 1199 pixels/);
    const enough = await loadData(folder, { size: [8, 8], pixelLimit: 1200 });
    for await (const { labels } of enough.train.batches({ batch: 16 })) expect(labels).toHaveLength(16);
  });
});

const solid = (height: number, width: number) =>
  sharp({ create: { width, height, channels: 3, background: "#336699" } });

/** 2x2 floats from 0 to 1 in little endian. */
function floatTiff(): Buffer {
  const tags = [
    [256, 4, 2],
    [257, 4, 2],
    [258, 3, 32],
    [259, 3, 1],
    [262, 3, 1],
    [273, 4, 8],
    [277, 3, 1],
    [278, 4, 2],
    [279, 4, 16],
    [339, 3, 3],
  ] as const;
  const file = Buffer.alloc(8 + 16 + 2 + tags.length * 12 + 4);
  file.write("II*\0");
  file.writeUInt32LE(24, 4);
  for (let i = 0; i < 4; i++) file.writeFloatLE(i / 3, 8 + 4 * i);
  file.writeUInt16LE(tags.length, 24);
  for (const [place, [tag, type, value]] of tags.entries()) {
    const at = 26 + 12 * place;
    file.writeUInt16LE(tag, at);
    file.writeUInt16LE(type, at + 2);
    file.writeUInt32LE(1, at + 4);
    file.writeUInt32LE(value, at + 8);
  }
  return file;
}

describe("a JPEG's head", () => {
  const jpeg = bytesOf("exif6.jpg");
  const app1 = jpeg.indexOf(Buffer.from([0xff, 0xe1]));
  const with1 = (bytes: number[]) => Buffer.concat([jpeg.subarray(0, app1), Buffer.from(bytes), jpeg.subarray(app1)]);

  it.each([
    ["as it is", jpeg],
    ["after fill bytes", with1([0xff, 0xff])],
    ["after a marker without a length", with1([0xff, 0x01])],
    ["after a comment", with1([0xff, 0xfe, 0, 4, 1, 2])],
  ])("has its orientation %s", async (_, bytes) => {
    expect(jpegHead(bytes)).toEqual({ components: 1, orientation: 6, height: 5, width: 7 });
    expect((await decodeImage(bytes)).shape).toEqual([7, 5, 3]);
  });

  it("gives the same picture from every path, in any order", async () => {
    const folder = temporaryFolder();
    const filled = with1([0xff, 0xff]);
    const large = await solid(64, 64).jpeg().toBuffer();
    for (const label of ["a", "b"])
      for (let i = 0; i < 8; i++) put(folder, `${label}/${i}.jpg`, i < 4 ? filled : large);
    const wanted = [...(await decodeImage(jpeg, { size: [7, 5] })).data];
    for (const workers of [0, 1, 2]) {
      const { train } = await loadData(folder, { size: [7, 5], workers });
      for (const epoch of [0, 1])
        for await (const { images, indices } of train.batches({ batch: 4, shuffle: true, seed: 1, epoch }))
          for (const [place, index] of indices.entries())
            if (/[0-3]\.jpg$/.test(train.describe(index)))
              expect([...images.subarray(place * 105, (place + 1) * 105)]).toEqual(wanted);
    }
  });
});

describe("a folder lists every file that it does not use", () => {
  it("in class folders, by content and not by name", async () => {
    const folder = temporaryFolder();
    const png = await solid(4, 4).png().toBuffer();
    for (const name of ["a/0.png", "a/1.PNG", "a/2", "a/3.picture", "b/0.jpg"]) put(folder, name, png);
    put(folder, "b/1.bmp", bytesOf("RGB.bmp"));
    put(folder, "b/2.tif", bytesOf("lzw.tiff"));
    put(folder, "b/notes.txt", "BM is how bitmaps begin");
    put(folder, "b/empty.png", "");
    put(folder, "b/.hidden.png", png);
    put(folder, "loose.png", png);
    put(folder, "README.md", "about the images");
    const { train } = await loadData(folder, { size: [4, 4] });
    expect([train.size, ...train.labels]).toEqual([7, 0, 0, 0, 0, 1, 1, 1]);
    expect(train.skipped).toEqual([
      { file: join(folder, "loose.png"), reason: "it lies beside the class folders, so its class is not known" },
      {
        file: join(folder, "b", "notes.txt"),
        reason: 'it is no image: its name ends in ".txt", and it starts as no known image does',
      },
      { file: join(folder, "b", "empty.png"), reason: "the file is empty" },
    ]);
    await expect(loadData(folder, { strict: true, size: [4, 4] })).rejects.toThrow(
      "loose.png cannot be used: it lies beside the class folders, so its class is not known",
    );
  });

  it("in flat folders, where a name has no number", async () => {
    const folder = temporaryFolder();
    const png = await solid(4, 4).png().toBuffer();
    for (const name of ["cat.0.png", "cat.1.png", "dog.0.png", "dog.1 (copy).png", "bird.png"]) put(folder, name, png);
    const { train } = await loadData(folder);
    const reason = "its name has no class and number, as cat.12.jpg has, so its class is not known";
    expect([train.classes, train.size]).toEqual([["cat", "dog"], 3]);
    expect(train.skipped).toEqual(
      ["bird.png", "dog.1 (copy).png"].map((name) => ({ file: join(folder, name), reason })),
    );
  });
});
