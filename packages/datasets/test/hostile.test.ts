import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { uniformStream } from "@convkit/augment/internal";
import sharp from "sharp";
import { afterAll, describe, expect, it } from "vitest";
import { DataError, decodeImage, imageFiles, loadData, readCifar, readIdx, writeCifar } from "../src/index.ts";
import { put } from "./temporary.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-hostile-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Flipped bits, cut and repeated parts, and fields of the largest number: what damage and attackers make of a file. */
function mutant(bytes: Buffer, uniform: () => number): Buffer {
  const pick = (below: number) => Math.floor(uniform() * below);
  const changed = Buffer.from(bytes);
  switch (pick(5)) {
    case 0:
      for (let i = 0; i <= pick(4); i++) changed[pick(changed.length)]! ^= 1 << pick(8);
      return changed;
    case 1:
      return changed.subarray(0, pick(changed.length));
    case 2: {
      const at = pick(changed.length);
      return Buffer.concat([changed.subarray(0, at), changed.subarray(pick(changed.length))]);
    }
    case 3:
      return changed.fill(255, pick(changed.length), pick(changed.length));
    default:
      changed.writeUInt32BE(pick(2) === 0 ? 0xffff_ffff : 0x7fff_ffff, pick(Math.min(64, changed.length - 3)));
      return changed;
  }
}

const photo = sharp(Buffer.from(Uint8Array.from({ length: 20 * 30 * 3 }, (_, i) => (i * 7) % 256)), {
  raw: { width: 30, height: 20, channels: 3 },
});
const golden = JSON.parse(readFileSync(new URL("./golden/formats.json", import.meta.url), "utf8")) as {
  cases: { name: string; base64: string }[];
};
const idx = Buffer.from([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, ...Array.from({ length: 24 }, (_, i) => i)]);
const cifar = Buffer.from(writeCifar({ images: new Uint8Array(2 * 3072).fill(9), labels: [3, 5] }));
const rows = Array.from(
  { length: 6 },
  (_, i) => `"${i}.png",${i % 2 === 0 ? "cat" : "dog"},${i < 4 ? "train" : "test"}`,
);
put(folder, "0.png", await photo.png().toBuffer());

const readers: [name: string, bytes: Buffer, count: number, read: (file: string) => Promise<unknown>][] = [
  ["images.idx", idx, 300, readIdx],
  ["images.idx.gz", gzipSync(idx), 300, readIdx],
  ["batch.bin", cifar, 300, (file) => readCifar(file)],
  ["list.csv", Buffer.from(["path,label,split", ...rows].join("\n")), 300, (file) => loadData(file, { size: [4, 4] })],
  ["photo.jpg", await photo.jpeg().toBuffer(), 150, decodeImage],
  ["photo.png", await photo.png().toBuffer(), 150, decodeImage],
  ["photo.webp", await photo.webp().toBuffer(), 100, decodeImage],
  ["photo.gif", await photo.gif().toBuffer(), 100, decodeImage],
  ["photo.tiff", await photo.tiff().toBuffer(), 100, decodeImage],
  ...["1.bmp", "L.bmp", "P.bmp", "RGB.bmp", "exif6.jpg", "cmyk.tiff"].map(
    (name): [string, Buffer, number, (file: string) => Promise<unknown>] => [
      name,
      Buffer.from(golden.cases.find((each) => each.name === name)!.base64, "base64"),
      100,
      decodeImage,
    ],
  ),
];

/** The PNG with another width and height in its header; libvips does not look at the checksum first. */
function promising(png: Buffer, width: number, height: number): Buffer {
  const changed = Buffer.from(png);
  changed.writeUInt32BE(width, 16);
  changed.writeUInt32BE(height, 20);
  return changed;
}

it("a PNG that promises more pixels than its bytes can hold is refused before memory is taken for them", async () => {
  const png = await photo.png().toBuffer();
  const bytes = promising(png, 14_123_014, 5);
  await expect(decodeImage(bytes)).rejects.toThrow(
    `it says it is 5x14123014, more pixels than its ${png.length} bytes can hold`,
  );
  // Deflate at its best: 4096x4096 black pixels of one bit in about 2 kB.
  const black = await sharp({ create: { width: 4096, height: 4096, channels: 3, background: "black" } })
    .png({ palette: true, colors: 2, compressionLevel: 9 })
    .toBuffer();
  expect(black.length).toBeLessThan(4000);
  expect((await decodeImage(black, { size: [1, 1] })).data).toEqual(Uint8Array.of(0, 0, 0));
});

it("bytes that start as no image are refused by every reader of images", async () => {
  const jpeg = await photo.jpeg().toBuffer();
  jpeg[2] = 8;
  const file = put(folder, "third-byte.jpg", jpeg);
  const refused = "it starts as no known image does (ffd808db)";
  await expect(decodeImage(file)).rejects.toThrow(refused);
  await expect(imageFiles({ name: "x", classes: ["a"], files: [file], labels: [0] })).rejects.toThrow(refused);
});

describe("a damaged file is read rightly, or refused with an error that names it", () => {
  it.each(readers)("%s", async (name, bytes, count, read) => {
    const uniform = uniformStream(17, name.length);
    const failures = new Set<string>();
    let refused = 0;
    for (let i = 0; i < count; i++) {
      const file = join(folder, `${i}-${name}`);
      writeFileSync(file, mutant(bytes, uniform));
      try {
        await read(file);
      } catch (error) {
        refused++;
        if (!(error instanceof DataError)) failures.add(`${i}: ${String(error)}`);
        else if (!error.message.includes(`${i}-${name.replace(".csv", "")}`)) failures.add(`${i}: ${error.message}`);
      }
    }
    expect([...failures]).toEqual([]);
    expect(refused).toBeGreaterThan(count / 10);
  });
});

describe("a file that says it is huge", () => {
  it("is unpacked no further than its header says", async () => {
    const zeros = Buffer.alloc(64 * 2 ** 20);
    const file = put(folder, "bomb.idx.gz", gzipSync(Buffer.concat([Buffer.from([0, 0, 8, 1, 0, 0, 0, 12]), zeros])));
    const before = process.memoryUsage().arrayBuffers;
    await expect(readIdx(file)).rejects.toThrow(
      /bomb\.idx\.gz: expected 12 bytes \(12\) at byte 8, found \d+; .* left over/,
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 2 ** 20);
  });

  it.each<[what: string, bytes: Buffer, message: string]>([
    [
      "above the limit",
      gzipSync(Buffer.from([0, 0, 8, 2, 0, 1, 0, 0, 0, 1, 0, 0, 1, 2, 3])),
      "expected at most 2147483648 bytes, got 4294967308 by its header; if you trust the file, raise byteLimit",
    ],
    [
      "than its packed bytes can hold",
      gzipSync(Buffer.from([0, 0, 8, 1, 0x10, 0, 0, 0, 1, 2, 3])),
      "expected 268435456 bytes (268435456) at byte 8, found 3; the file is truncated",
    ],
    [
      "in numbers beyond all",
      gzipSync(Buffer.from([0, 0, 14, 40, ...new Uint8Array(160).fill(255)])),
      "expected at most 2147483648 bytes, got Infinity by its header",
    ],
  ])("is refused, larger %s", async (what, bytes, message) => {
    await expect(readIdx(put(folder, `${what}.gz`, bytes))).rejects.toThrow(message);
  });

  it("is not decoded: a JPEG of 16000x16000 in a few hundred bytes", async () => {
    const jpeg = await sharp({ create: { width: 8, height: 8, channels: 3, background: "red" } })
      .jpeg()
      .toBuffer();
    const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
    jpeg.writeUInt16BE(16_000, frame + 5);
    jpeg.writeUInt16BE(16_000, frame + 7);
    await expect(decodeImage(put(folder, "bomb.jpg", jpeg))).rejects.toThrow(
      /bomb\.jpg cannot be decoded: it says it is 16000x16000, which is more than 89478485 pixels; /,
    );
  });
});

describe("drawings", () => {
  // Eight to the power of nine rectangles out of one kilobyte: libvips works on them for minutes.
  const uses = Array.from({ length: 9 }, (_, i) => `<g id="a${i + 1}">${`<use href="#a${i}"/>`.repeat(8)}</g>`).join(
    "",
  );
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><defs><g id="a0"><rect width="9" height="9"/></g>${uses}</defs><use href="#a9"/></svg>`;

  it.each([
    ["plain", Buffer.from(svg)],
    ["compressed", gzipSync(svg)],
    ["behind the brand of AVIF", Buffer.from(`<!--ftypavif-->${svg}`)],
    ["behind the name of WebP", Buffer.from(`RIFFaaaaWEBP ${svg}`)],
  ])("are no images: %s", async (_title, bytes) => {
    await expect(decodeImage(bytes)).rejects.toThrow("The image cannot be decoded: it starts as no known image does");
  });
});
