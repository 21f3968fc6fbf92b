import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Batch, type IndexedDataset, loadData, maskFolder, maskPixels } from "../src/index.ts";
import { decodeMask } from "../src/masks/decode-mask.ts";
import { maskReader } from "../src/masks/mask-files.ts";

const golden = JSON.parse(readFileSync(new URL("golden/masks.json", import.meta.url), "utf8")) as {
  shape: [number, number];
  files: { name: string; png: string; values: number[] }[];
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "masks-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function put(file: string, bytes: Uint8Array | string): Promise<string> {
  const path = join(folder, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
  return path;
}

type Size = readonly [number, number];

/** A grayscale PNG of these values. */
const gray = (values: ArrayLike<number>, [height, width]: Size) =>
  sharp(Uint8Array.from(values), { raw: { width, height, channels: 1 } })
    .toColorspace("b-w")
    .png()
    .toBuffer();

const picture = ([height, width]: Size, level = 0) =>
  sharp({ create: { width, height, channels: 3, background: { r: level, g: 10, b: 200 } } })
    .png()
    .toBuffer();

async function only(data: IndexedDataset): Promise<Batch> {
  const batches: Batch[] = [];
  for await (const batch of data.batches({ batch: 100 })) batches.push(batch);
  expect(batches).toHaveLength(1);
  return batches[0]!;
}

describe("mask files of Pillow", () => {
  test.each(golden.files.map((each) => [each.name, each] as const))("%s", async (name, { png, values }) => {
    const { data, size } = await decodeMask(await put(`pillow/${name}.png`, Buffer.from(png, "base64")));
    expect(size).toEqual(golden.shape);
    expect([...data]).toEqual(values);
  });

  test("a damaged one is refused at every place of its end", async () => {
    const whole = Buffer.from(golden.files[0]!.png, "base64");
    for (const length of [0, 8, 20, 33, 45, whole.length - 30]) {
      const file = await put("cut.png", whole.subarray(0, length));
      await expect(decodeMask(file)).rejects.toThrow(/^The mask .*cut\.png cannot be used: /);
    }
  });
});

describe("a folder of images and masks", () => {
  const sizes: readonly Size[] = [
    [4, 6],
    [8, 12],
  ];

  /** Two images; the mask of the second has each pixel of the first one's four times. */
  async function make(name: string, values: readonly number[][], more: Record<string, Uint8Array | string> = {}) {
    for (const [place, size] of sizes.entries()) {
      await put(`${name}/images/${place}.png`, await picture(size, 50 * place));
      const scale = size[0] / 4;
      const own = Array.from(
        { length: size[0] * size[1] },
        (_, i) => values[place]![Math.floor(Math.floor(i / size[1]) / scale) * 6 + Math.floor((i % size[1]) / scale)]!,
      );
      await put(`${name}/masks/${place}.png`, await gray(own, size));
    }
    for (const [file, bytes] of Object.entries(more)) await put(`${name}/${file}`, bytes);
    return join(folder, name);
  }
  const small = Array.from({ length: 24 }, (_, i) => (i * 5) % 3);
  const other = small.map((value) => (value + 1) % 3);

  test("gives the class of each pixel at the images' common size", async () => {
    const path = await make("plain", [small, other]);
    const { train } = await loadData(path, { size: [4, 6] });
    expect(train.targets).toEqual({ mask: { kind: "mask", names: ["0", "1", "2"], shape: [4, 6] } });
    expect(train.classes).toEqual([]);
    const { targets, images } = await only(train);
    expect(targets!["mask"]).toEqual(Int32Array.from([...small, ...other]));
    expect([images[0], images[4 * 6 * 3]]).toEqual([0, 50]);
    const [second] = [await only(train.select([1]))];
    expect(second.targets!["mask"]).toEqual(Int32Array.from(other));
    expect(await train.select([1]).readMasks!([0])).toEqual(Uint8Array.from(other));
    expect(await maskPixels(train, "mask")).toEqual(
      [0, 1, 2].map((label) => [...small, ...other].filter((value) => value === label).length),
    );
  });

  test("reads masks again that are not kept, and others once", async () => {
    const path = await make("kept", [small, other]);
    const pairs = [0, 1].map((place) => ({
      image: join(path, `images/${place}.png`),
      mask: join(path, `masks/${place}.png`),
    }));
    const meaning = { names: ["0", "1", "2"], ignore: undefined, isBlackAndWhite: false };
    const one = await maskReader(pairs, meaning, { size: [4, 6], kept: 24 });
    expect([...(await one.read([1, 0]))]).toEqual([...other, ...small]);
    await rm(pairs[0]!.mask);
    await rm(pairs[1]!.mask);
    // The limit of 24 bytes keeps one of the two masks.
    const again = await Promise.allSettled([one.read([0]), one.read([1])]);
    expect(again.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(String((again.find(({ status }) => status === "rejected") as PromiseRejectedResult).reason)).toMatch(
      /The mask .*\.png cannot be used/,
    );
  });

  test("crops masks as it crops images", async () => {
    const path = await make("cropped", [small, other]);
    const { train } = await loadData(path, { size: [4, 4], crop: true });
    const { targets } = await only(train);
    const center = (values: readonly number[]) => values.filter((_, i) => i % 6 > 0 && i % 6 < 5);
    expect(targets!["mask"]).toEqual(Int32Array.from([...center(small), ...center(other)]));
  });

  test("takes black and white for two classes, and names from classes.txt", async () => {
    const white = small.map((value) => (value === 2 ? 255 : 0));
    const path = await make("white", [white, white], { "classes.txt": "background\ncat\n" });
    const { train } = await maskFolder(path, { size: [4, 6] });
    expect(train.targets!["mask"]!.names).toEqual(["background", "cat"]);
    expect((await only(train)).targets!["mask"]!.subarray(0, 24)).toEqual(
      Int32Array.from(white, (value) => Number(value === 255)),
    );
    await writeFile(join(path, "classes.txt"), "\n");
    const refused = `${join(path, "classes.txt")}: expected the names of at least two classes, one a line, found 0`;
    await expect(maskFolder(path, { size: [4, 6] })).rejects.toThrow(refused);
  });

  test("keeps the value that is not judged", async () => {
    const edges = small.map((value, i) => (i % 7 === 0 ? 255 : value));
    const path = await make("edges", [edges, small]);
    const { train } = await maskFolder(path, { size: [4, 6], masks: { ignore: 255 } });
    expect(train.targets).toEqual({ mask: { kind: "mask", names: ["0", "1", "2"], shape: [4, 6], ignore: 255 } });
    expect((await only(train)).targets!["mask"]).toEqual(Int32Array.from([...edges, ...small]));
    await expect(maskFolder(path, { size: [4, 6] })).rejects.toThrow(
      /^edges: the masks have the values 0, 1, 2, 255; expected 0, 1, 2 … without gaps, or 0 and 255: /,
    );
    await expect(maskFolder(path, { masks: { names: ["a", "b"], ignore: 255 } })).rejects.toThrow(
      /the mask .*\.png has the value 2, but the 2 classes a, b run from 0 to 1; for pixels without a class give ignore: 2$/,
    );
    await expect(maskFolder(path, { masks: { names: ["a", "b"], ignore: 1 } })).rejects.toThrow(
      "ignore is 1, which is the class b; expected a value that is no class",
    );
  });

  test("splits by folders, with the same classes", async () => {
    await make("parts/train", [small, other]);
    const twos = small.map((value) => Math.min(value, 1));
    await make("parts/val", [twos, twos]);
    const { train, validation } = await loadData(join(folder, "parts"), { size: [4, 6] });
    expect([train.size, validation!.size]).toEqual([2, 2]);
    expect(validation!.targets).toEqual(train.targets);
  });

  test("refuses what is no pair in a sentence", async () => {
    const lonely = await make("lonely", [small, other], { "images/z.png": await picture([4, 6]) });
    await expect(maskFolder(lonely)).rejects.toThrow(
      /^1 of 3 images have no mask: for .*images.z\.png expected .*masks.z\.png$/,
    );
    const wide = await make("wide", [small, other], { "masks/1.png": await gray(small, [4, 6]) });
    await expect(maskFolder(wide, { size: [4, 6] })).rejects.toThrow(
      /^The mask .*1\.png is 4x6, but its image .*1\.png is 8x12; expected masks of the images' size$/,
    );
    const colored = await make("colored", [small, other], { "masks/1.png": await picture([8, 12]) });
    await expect(maskFolder(colored)).rejects.toThrow(/cannot be used: it has colors \(0, 10, 200\); expected a class/);
    const lossy = await make("lossy", [small, other]);
    await rm(join(lossy, "masks/1.png"));
    await put(
      "lossy/masks/1.jpg",
      await sharp(await picture([8, 12]))
        .jpeg()
        .toBuffer(),
    );
    await expect(maskFolder(lossy)).rejects.toThrow(/1\.jpg cannot be used: it is a JPEG, whose compression changes/);
    const double = await make("double", [small, other], { "masks/1_mask.png": await gray(small, [4, 6]) });
    await expect(maskFolder(double)).rejects.toThrow(/1\.png has 2 masks: .*; expected one$/);
  });

  test("reads the masks that a CSV file lists", async () => {
    const path = await make("listed", [small, other]);
    const rows = [0, 1].map((place) => `images/${place}.png,masks/${place}.png,${place * 2}`);
    const list = await put("listed/list.csv", ["path,mask,weight", ...rows].join("\n"));
    const options = { size: [4, 6] as [number, number], columns: { mask: "mask", numbers: "weight" } };
    const { train } = await loadData(list, options);
    expect(Object.keys(train.targets!)).toEqual(["numbers", "mask"]);
    const { targets } = await only(train);
    expect(targets!["mask"]).toEqual(Int32Array.from([...small, ...other]));
    expect(targets!["numbers"]).toEqual(Float32Array.of(0, 2));
    await put("listed/list.csv", "path,mask\nimages/0.png,\n");
    await expect(loadData(list, { size: [4, 6], columns: { mask: "mask" } })).rejects.toThrow(/line 2 lacks mask$/);
    await expect(loadData(path, { columns: { mask: "mask" } })).rejects.toThrow(/options of CSV files/);
  });
});
