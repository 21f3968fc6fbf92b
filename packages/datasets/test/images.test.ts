import { existsSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { imagesIn } from "../src/folders/disk-tree.ts";
import type { Batch, Dataset } from "../src/dataset/dataset.ts";
import { imageFolder } from "../src/folders/image-folder.ts";
import { loadData } from "../src/load.ts";
import { subset } from "../src/folders/subset.ts";
import { canMount, smallDisk } from "../../files/test/small-disk.ts";
import { put, temporaryFolder } from "./temporary.ts";

/** A PNG of one level. */
async function png(level: number, [h, w]: readonly [number, number] = [6, 8]): Promise<Buffer> {
  return sharp({ create: { width: w, height: h, channels: 3, background: { r: level, g: level, b: level } } })
    .png()
    .toBuffer();
}

/** `count` images a class in class folders; image i of class c has the level 10 i + c. */
async function classFolders(folder: string, classes: readonly string[], count: number): Promise<string> {
  for (const [label, name] of classes.entries())
    for (let i = 0; i < count; i++) put(folder, join(name, `${name}.${i}.png`), await png(10 * i + label));
  return folder;
}

async function all(data: Dataset): Promise<Batch[]> {
  const batches: Batch[] = [];
  for await (const batch of data.batches({ batch: 4 })) batches.push(batch);
  return batches;
}

const levels = async (data: Dataset) =>
  (await all(data)).flatMap(({ images, shape: [n, h, w, c] }) =>
    Array.from({ length: n }, (_, i) => images[i * h * w * c]!),
  );

describe("an image folder", () => {
  it("of classes is one split, in the order of class names and file names", async () => {
    const folder = await classFolders(temporaryFolder(), ["dog", "cat"], 3);
    put(folder, "cat/.DS_Store", "");
    put(folder, "cat/notes.txt", "");
    const { train, validation, test } = await loadData(folder);
    expect([train.size, train.classes, train.shape, validation, test]).toEqual([
      6,
      ["cat", "dog"],
      [6, 8, 3],
      undefined,
      undefined,
    ]);
    expect([...train.labels]).toEqual([0, 0, 0, 1, 1, 1]);
    expect(await levels(train)).toEqual([1, 11, 21, 0, 10, 20]);
    expect(train.describe(4)).toBe(join(folder, "dog", "dog.1.png"));
  });

  it("is read in Keras' order: a folder's own images before those of folders inside", async () => {
    const folder = await classFolders(temporaryFolder(), ["a", "b"], 1);
    for (const name of ["a/0/z.png", "a/0/1/y.png", "a/1.png"]) put(folder, name, await png(9));
    const { train } = await loadData(folder);
    expect(Array.from({ length: 4 }, (_, index) => train.describe(index))).toEqual(
      ["a/1.png", "a/a.0.png", "a/0/z.png", "a/0/1/y.png"].map((name) => join(folder, name)),
    );
  });

  it("is read without hidden folders, broken links and rings of links", async () => {
    const folder = await classFolders(temporaryFolder(), ["a", "b"], 2);
    for (const name of [".git/x.png", "a/.ipynb_checkpoints/x.png", "a/in/.hidden/x.png"])
      put(folder, name, await png(9));
    symlinkSync(join(folder, "gone"), join(folder, "link"));
    symlinkSync(folder, join(folder, "b", "ring"));
    symlinkSync(join(folder, "a"), join(folder, "c"));
    const { train } = await loadData(folder);
    expect([train.classes, train.size]).toEqual([["a", "b", "c"], 6]);
    expect(imagesIn(folder)).toEqual(
      ["a/a.0.png", "a/a.1.png", "b/b.0.png", "b/b.1.png", "c/a.0.png", "c/a.1.png"].map((name) => join(folder, name)),
    );
  });

  it("may have a class of trains", async () => {
    const folder = await classFolders(temporaryFolder(), ["bus", "car", "train"], 2);
    expect((await loadData(folder)).train.classes).toEqual(["bus", "car", "train"]);
    const parted = temporaryFolder();
    await classFolders(join(parted, "train"), ["bus", "car"], 2);
    put(parted, "papers/licence.txt", "");
    expect((await loadData(parted)).train.classes).toEqual(["bus", "car"]);
  });

  it("with train, validation and test inside has them", async () => {
    const folder = temporaryFolder();
    await classFolders(join(folder, "train"), ["a", "b"], 2);
    await classFolders(join(folder, "val"), ["a", "b"], 1);
    await classFolders(join(folder, "test"), ["a", "b"], 1);
    const { train, validation, test } = await loadData(folder, { size: [4, 4] });
    expect([train.size, validation?.size, test?.size, train.shape]).toEqual([4, 2, 2, [4, 4, 3]]);
  });

  it("is parted by chance and seed", async () => {
    const folder = await classFolders(temporaryFolder(), ["a", "b"], 5);
    const { train, validation, test } = await loadData(folder, { validation: 0.25, test: 2, seed: 4 });
    expect([train.size, validation?.size, test?.size]).toEqual([6, 2, 2]);
    const names = [train, validation!, test!].flatMap((data) =>
      Array.from({ length: data.size }, (_, i) => data.describe(i)),
    );
    expect(new Set(names).size).toBe(10);
  });

  it("is parted by index, in number order", async () => {
    const folder = await classFolders(temporaryFolder(), ["a", "b"], 12);
    const { train, test } = await imageFolder(folder, { ranges: { train: [0, 3], test: [9, 12] } });
    expect(await levels(train)).toEqual([0, 10, 20, 1, 11, 21]);
    expect(await levels(test!)).toEqual([90, 100, 110, 91, 101, 111]);
  });

  it("may be flat, as Kaggle's cats and dogs are", async () => {
    const folder = temporaryFolder();
    for (const [label, name] of ["cat", "dog"].entries())
      for (const i of [0, 2, 10]) put(folder, `${name}.${i}.png`, await png(10 * i + label));
    const { train } = await loadData(folder);
    expect([train.classes, await levels(train)]).toEqual([
      ["cat", "dog"],
      [0, 20, 100, 1, 21, 101],
    ]);
  });

  it.each(["memory", "disk"] as const)("decodes once where pixels are kept in %s", async (keep) => {
    const folder = await classFolders(temporaryFolder(), ["a", "b"], 3);
    const cache = temporaryFolder();
    const { train } = await loadData(folder, { keep, cache });
    const first = await levels(train);
    const { train: later } = await loadData(folder, { keep, cache });
    // The same size and date, but other bytes: what this process kept gives the old levels. A later run finds that the content differs.
    const { statSync, utimesSync } = await import("node:fs");
    const file = join(folder, "a/a.1.png");
    const { size, atime, mtime } = statSync(file);
    writeFileSync(file, Buffer.alloc(size));
    utimesSync(file, atime, mtime);
    expect(await levels(train)).toEqual(first);
    if (keep === "disk") {
      expect(await levels(later)).toEqual(first.filter((_, image) => image !== 1));
      expect(later.skipped).toMatchObject([{ file }]);
      expect(later.decodedCache).toMatchObject({ taken: 5, added: 0 });
      expect(readdirSync(join(cache, "images"))).toHaveLength(2);
    }
  });
});

describe("a broken image", () => {
  const broken = async () => {
    const folder = await classFolders(temporaryFolder(), ["a", "b"], 4);
    put(folder, "a/a.1.png", "no image");
    const whole = await sharp({
      create: {
        width: 8,
        height: 6,
        channels: 3,
        background: "#345",
        noise: { type: "gaussian", mean: 128, sigma: 30 },
      },
    })
      .png()
      .toBuffer();
    put(folder, "b/b.2.png", whole.subarray(0, whole.length - 60));
    return folder;
  };

  it("is left out and listed: one that is no image at once, a truncated one when it is decoded", async () => {
    const folder = await broken();
    const { train } = await loadData(folder);
    expect(train.size).toBe(7);
    expect(train.skipped.map(({ file }) => file)).toEqual([join(folder, "a/a.1.png")]);
    expect((await all(train)).map(({ shape }) => shape[0])).toEqual([4, 2]);
    await all(train);
    expect(train.skipped.map(({ file }) => file)).toEqual([join(folder, "a/a.1.png"), join(folder, "b/b.2.png")]);
    expect(train.skipped[1]!.reason).toMatch(/^(?!.*b\.2\.png).+/);
  });

  it("leaves the batches that have others in their places", async () => {
    const { train } = await loadData(await broken());
    const places = [];
    for await (const { place, shape } of train.batches({ batch: 1 })) places.push([place, shape[0]]);
    expect(places).toEqual([0, 1, 2, 3, 4, 6].map((place) => [place, 1]));
  });

  it("is found before the first batch by a check of all", async () => {
    const { train } = await loadData(await broken(), { check: "all" });
    expect([train.size, train.skipped.length]).toEqual([6, 2]);
    expect((await all(train)).map(({ shape }) => shape[0])).toEqual([4, 2]);
  });

  it("is told by how it starts where a size is given", async () => {
    const folder = await broken();
    put(folder, "b/b.9.png", "");
    const { train } = await loadData(folder, { size: [6, 8] });
    expect(train.skipped).toEqual([
      {
        file: join(folder, "a/a.1.png"),
        reason: "it starts as no known image does (6e6f2069)",
      },
      { file: join(folder, "b/b.9.png"), reason: "the file is empty" },
    ]);
  });

  it.each(["jpeg", "png", "webp", "avif", "gif", "tiff"] as const)(
    "is not what a whole %s is taken for",
    async (format) => {
      const folder = temporaryFolder();
      const whole = await sharp(await png(9))
        .toFormat(format)
        .toBuffer();
      for (const name of ["a", "b"]) put(folder, `${name}/1.${format}`, whole);
      const { train } = await loadData(folder, { size: [3, 3] });
      expect([train.size, train.skipped]).toEqual([2, []]);
      for (const level of await levels(train)) expect(Math.abs(level - 9)).toBeLessThanOrEqual(1);
    },
  );

  it("ends the work if strict", async () => {
    const folder = await broken();
    await expect(loadData(folder, { strict: true })).rejects.toThrow(
      `${join(folder, "a/a.1.png")} cannot be decoded: `,
    );
    rmSync(join(folder, "a/a.1.png"));
    const { train } = await loadData(folder, { strict: true });
    await expect(all(train)).rejects.toThrow(`${join(folder, "b/b.2.png")} cannot be decoded: `);
  });
});

describe("a folder that will not do", () => {
  it.each<[string, Record<string, readonly [number, number] | string>, string]>([
    ["an empty class", { "a/1.png": [6, 8], "b/readme.txt": "" }, "/b holds no images (.jpg, .jpeg"],
    ["one class", { "a/1.png": [6, 8] }, "has one class only (a); to tell apart there must be at least two folders"],
    ["no class", { "notes.txt": "" }, "holds no images; expected a folder for each class with .jpg"],
    ["mixed sizes", { "a/1.png": [6, 8], "b/1.png": [8, 6] }, "b/1.png is 8x6); give the size to bring them to"],
    [
      "other classes in test",
      { "train/a/1.png": [6, 8], "train/b/1.png": [6, 8], "test/a/1.png": [6, 8], "test/c/1.png": [6, 8] },
      "/test: expected the classes of train (a, b), found a, c",
    ],
    [
      "sizes that differ between splits",
      { "train/a/1.png": [6, 8], "train/b/1.png": [6, 8], "test/a/1.png": [4, 4], "test/b/1.png": [4, 4] },
      "(6x8x3 in train, 4x4x3 in test); give the size to bring them to",
    ],
    ["nothing but broken files", { "a/1.png": "x", "b/1.png": "y" }, "has no image that can be read: "],
  ])("has %s", async (_, files, message) => {
    const folder = temporaryFolder();
    for (const [name, content] of Object.entries(files))
      put(folder, name, typeof content === "string" ? content : await png(1, content));
    await expect(loadData(folder)).rejects.toThrow(message);
  });

  it.each([
    [
      { validation: 4 },
      "A split of 4 of",
      "would leave nothing beside it; expected a share between 0 and 1 or a count from 1 to 3",
    ],
    [{ validation: 0.01 }, "A split of 0.01 of", "would leave nothing in it"],
    [{ ranges: { train: [0, 3] as const } }, "Class a has 2 images, too few for the range 0:3", " "],
    [{ ranges: { test: [0, 1] as const } }, "the ranges name no train split", " "],
    [
      { ranges: { train: [0, 2] as const, test: [1, 2] as const } },
      "The ranges test 1:2 and train 0:2 overlap; an image may be in one split only",
      " ",
    ],
    [{ ranges: { val: [0, 1] as const } as object }, "A range should be of train, validation or test, not of val", " "],
    [{ ranges: { train: [0, 1] as const }, test: 1 }, "can be parted by ranges or by test, not by both", " "],
    [{ keep: "disc" as "disk" }, 'images: expected keep to be one of memory, disk, got "disc"', " "],
    [{ check: "some" as "all" }, 'images: expected check to be one of head, all, none, got "some"', " "],
    [{ ranges: { train: [1, 1] as const } }, "A range should be FROM:TO with 0 <= FROM < TO, not 1:1", " "],
  ])("parted by %o", async (options, start, end) => {
    const folder = await classFolders(temporaryFolder(), ["a", "b"], 2);
    await expect(loadData(folder, options)).rejects.toThrow(start);
    await expect(loadData(folder, options)).rejects.toThrow(end);
  });
});

describe("subset", () => {
  const kaggle = async () => {
    const folder = temporaryFolder();
    for (const name of ["cat", "dog"]) for (let i = 0; i < 12; i++) put(folder, `${name}.${i}.jpg`, `${name} ${i}`);
    return folder;
  };

  it.each([true, false])("makes the notebook's layout of Kaggle's flat folder (links: %s)", async (link) => {
    const target = join(temporaryFolder(), "small");
    const ranges = { train: [0, 4], validation: [4, 6], test: [6, 11] } as const;
    expect(await subset(await kaggle(), target, ranges, { link })).toEqual({
      folder: target,
      files: { train: 8, validation: 4, test: 10 },
    });
    expect(readdirSync(join(target, "validation", "dog"))).toEqual(["dog.4.jpg", "dog.5.jpg"]);
    expect(existsSync(join(target, "test", "cat", "cat.10.jpg"))).toBe(true);
  });

  it.skipIf(!canMount)("leaves nothing on a disk that is full, and says why", async () => {
    const { folder } = smallDisk(64 << 10);
    const source = await kaggle();
    put(source, "dog.5.jpg", "x".repeat(128 << 10));
    const target = join(folder, "small");
    await expect(subset(source, target, { train: [0, 4], test: [4, 6] })).rejects.toThrow(
      `${join(target, "test")} cannot be written (ENOSPC): the disk is full; make room, or choose another place.`,
    );
    expect(readdirSync(target)).toEqual([]);
    expect((await subset(source, target, { train: [0, 4] })).files).toEqual({ train: 8 });
  });

  it("counts the numbers in the names", async () => {
    const source = await kaggle();
    rmSync(join(source, "dog.2.jpg"));
    await expect(subset(source, join(temporaryFolder(), "s"), { train: [0, 4] })).rejects.toThrow(
      "Class dog has 11 images, but of the range 0:4 it lacks 1, number 2 first",
    );
  });

  it.each([
    [{ train: [0, 4], test: [3, 5] }, /The ranges \w+ \d:\d and \w+ \d:\d overlap; an image may be in one split only/],
    [{}, /A subset needs a range for at least one of train, validation and test/],
    [{ train: [0, 13] }, /Class cat has 12 images, but of the range 0:13 it lacks 1, number 12 first/],
  ] as const)("refuses %o", async (ranges, message) => {
    await expect(subset(await kaggle(), join(temporaryFolder(), "s"), ranges)).rejects.toThrow(message);
  });

  it("writes over nothing", async () => {
    const target = temporaryFolder();
    put(target, "mine.txt", "");
    await expect(subset(await kaggle(), target, { train: [0, 1] })).rejects.toThrow(
      `${target} is there already and not empty`,
    );
  });
});
