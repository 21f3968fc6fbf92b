import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromArrays } from "../src/dataset/from-arrays.ts";
import type { Batch, BatchOptions, Dataset, IndexedDataset } from "../src/dataset/dataset.ts";
import { splitFolds } from "../src/dataset/folds.ts";
import { batchPart } from "../src/dataset/batch-part.ts";
import { fromGenerator } from "../src/dataset/from-generator.ts";
import { batchCount, datasetFrom } from "../src/dataset/indexed-dataset.ts";
import { splitOff } from "../src/dataset/split.ts";
import { classCounts } from "../src/dataset/statistics.ts";

interface Golden {
  readonly labels: number[];
  readonly folds: { readonly count: number; readonly stratified: number[][]; readonly plain: number[] }[];
  readonly splits: { readonly part: number; readonly held: number[] }[];
}
const golden = JSON.parse(readFileSync(new URL("./golden/folds.json", import.meta.url), "utf8")) as Golden;

/** Ten images of 1x2x1: image i is (i, 100 + i), its label i % 2. */
const ten = fromArrays({
  images: Uint8Array.from({ length: 20 }, (_, index) => (index % 2) * 100 + Math.floor(index / 2)),
  shape: [1, 2, 1],
  labels: Array.from({ length: 10 }, (_, index) => index % 2),
  classes: ["even", "odd"],
  name: "ten",
});

async function all(data: Dataset, options: BatchOptions): Promise<Batch[]> {
  const batches: Batch[] = [];
  for await (const batch of data.batches(options)) batches.push(batch);
  return batches;
}

const indicesOf = (batches: readonly Batch[]) => batches.flatMap(({ indices }) => [...indices]);

describe("batches", () => {
  it("come in order, the last one smaller", async () => {
    const batches = await all(ten, { batch: 4 });
    expect(batches.map(({ shape }) => shape)).toEqual([
      [4, 1, 2, 1],
      [4, 1, 2, 1],
      [2, 1, 2, 1],
    ]);
    expect(batches[2]).toEqual({
      images: Uint8Array.of(8, 108, 9, 109),
      place: 2,
      shape: [2, 1, 2, 1],
      labels: Int32Array.of(0, 1),
      indices: Int32Array.of(8, 9),
    });
  });

  it("leave out a last one that is not full, if asked", async () => {
    expect((await all(ten, { batch: 4, dropRemainder: true })).map(({ shape }) => shape[0])).toEqual([4, 4]);
    expect([batchCount(ten, 4), batchCount(ten, 4, true)]).toEqual([3, 2]);
  });

  it("hold every image once, with its label, in any shuffled order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 12 }), fc.nat(), fc.nat(5), async (batch, seed, epoch) => {
        const batches = await all(ten, { batch, shuffle: true, seed, epoch });
        expect(indicesOf(batches).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        for (const { images, labels, indices } of batches)
          for (const [place, index] of indices.entries()) {
            expect([images[2 * place], images[2 * place + 1], labels[place]]).toEqual([index, 100 + index, index % 2]);
          }
      }),
    );
  });

  it("given back lend their memory to batches to come of the same length, once each", async () => {
    const data = ten.select([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const memories = new Set<ArrayBufferLike>();
    for (const epoch of [0, 1, 2])
      for await (const batch of data.batches({ batch: 4, shuffle: true, epoch })) {
        const { images, indices } = batch;
        expect([...images]).toEqual([...indices].flatMap((index) => [index, 100 + index]));
        memories.add(images.buffer);
        batch.release?.();
        batch.release?.();
        // Whoever uses it all the same gets no other batch's pixels.
        expect(batch.images).toHaveLength(0);
      }
    // One of four images, one of two.
    expect(memories.size).toBe(2);
    const kept = await all(data, { batch: 4 });
    expect(new Set(kept.map(({ images }) => images.buffer)).size).toBe(3);
  });

  it("given back keep no more than 64 MiB", async () => {
    const side = 2 ** 12;
    const large = datasetFrom({
      name: "large",
      classes: ["one"],
      shape: [side, side, 1],
      dtype: "uint8",
      labels: new Int32Array(6),
      read() {},
    });
    const first = await all(large, { batch: 1 });
    const before = new Set(first.map(({ images }) => images.buffer));
    for (const batch of first) batch.release?.();
    const second = await all(large, { batch: 1 });
    expect(second.filter(({ images }) => before.has(images.buffer))).toHaveLength(4);
  });

  it("come in the same order for the same seed and epoch only", async () => {
    const order = async (seed: number, epoch: number) =>
      indicesOf(await all(ten, { batch: 3, shuffle: true, seed, epoch }));
    expect(await order(1, 0)).toEqual(await order(1, 0));
    expect(await order(1, 0)).not.toEqual(await order(1, 1));
    expect(await order(1, 0)).not.toEqual(await order(2, 0));
  });

  it("can be taken up in the middle", async () => {
    const options = { batch: 3, shuffle: true, seed: 5 };
    expect(await all(ten, { ...options, skip: 2 })).toEqual((await all(ten, options)).slice(2));
  });

  it.each([
    [{ batch: 0 }, "batch should be a whole number from 1, not 0"],
    [{ batch: 2.5 }, "batch should be a whole number from 1, not 2.5"],
    [{ batch: 2, seed: -1 }, "seed should be a whole number from 0, not -1"],
    [{ batch: 2, epoch: 0.5 }, "epoch should be a whole number from 0, not 0.5"],
  ])("refuse %o", async (options, message) => {
    await expect(all(ten, options)).rejects.toThrow(message);
  });
});

describe("a source that reads later", () => {
  const slow = (read: (index: number) => boolean, memory = Number.POSITIVE_INFINITY) => {
    const started: number[] = [];
    const data = datasetFrom({
      name: "slow",
      classes: ["a"],
      shape: [1, 1, 1],
      dtype: "uint8",
      labels: new Int32Array(8),
      memory,
      async read(indices, images) {
        started.push(indices[0]!);
        await Promise.resolve();
        images.set(indices);
        return [...indices.keys()].filter((place) => !read(indices[place]!));
      },
    });
    return { data, started };
  };

  it("makes `prefetch` batches ready ahead, and no more", async () => {
    const { data, started } = slow(() => true);
    for await (const { indices } of data.batches({ batch: 2, prefetch: 1 })) {
      expect(started).toEqual([0, 2, 4, 6].filter((first) => first <= indices[0]! + 2));
    }
  });

  it("keeps to its memory", async () => {
    const { data, started } = slow(() => true, 4);
    for await (const { indices } of data.batches({ batch: 2, prefetch: 10 })) {
      expect(started.length).toBeLessThanOrEqual(indices[0]! / 2 + 2);
    }
  });

  it("leaves out what it could not read", async () => {
    const { data } = slow((index) => index !== 1 && index < 6);
    const batches = await all(data, { batch: 3 });
    expect(batches.map(({ images, indices, shape }) => [[...images], [...indices], shape[0]])).toEqual([
      [[0, 2], [0, 2], 2],
      [[3, 4, 5], [3, 4, 5], 3],
    ]);
  });

  it("fails where the batch is asked for, not before", async () => {
    const { data } = slow((index) => {
      if (index === 4) throw new Error("broken");
      return true;
    });
    const seen: number[] = [];
    await expect(async () => {
      for await (const { indices } of data.batches({ batch: 2, prefetch: 3 })) seen.push(indices[0]!);
    }).rejects.toThrow("broken");
    expect(seen).toEqual([0, 2]);
  });
});

describe("select", () => {
  it("gives a part, numbered anew", async () => {
    const part = ten.select([7, 2]).select([1, 0, 1], "part");
    expect([part.name, part.size, [...part.labels], part.describe(0)]).toEqual(["part", 3, [0, 1, 0], "ten[2]"]);
    const [batch] = await all(part, { batch: 3 });
    expect([...batch!.images]).toEqual([2, 102, 7, 107, 2, 102]);
    expect([...batch!.indices]).toEqual([0, 1, 2]);
  });

  it("refuses an image that is not there", () => {
    expect(() => ten.select([10])).toThrow("ten has images 0 to 9, not 10");
  });
});

describe("splitOff", () => {
  it.each([
    [0.2, 8, 2],
    [3, 7, 3],
  ])("of %s leaves %i and %i", (part, rest, taken) => {
    const split = splitOff(ten, part, { seed: 3 });
    expect(split.map(({ size }) => size)).toEqual([rest, taken]);
    const names = split.flatMap((data) => Array.from({ length: data.size }, (_, index) => data.describe(index)));
    expect(new Set(names).size).toBe(10);
  });

  it.each([0, 0.01, 10, 1.5, -1, Number.NaN])("of %s is refused", (part) => {
    expect(() => splitOff(ten, part)).toThrow(/A split of \S+ of ten's 10 images would leave nothing/);
  });
});

/** 23 images in the order of the golden file's classes. */
const uneven = fromArrays({
  images: Uint8Array.from({ length: 23 }, (_, index) => index),
  shape: [1, 1, 1],
  labels: golden.labels,
  classes: ["a", "b", "c"],
  name: "uneven",
});
const placesOf = (data: Pick<IndexedDataset, "size" | "describe">) =>
  Array.from({ length: data.size }, (_, index) => data.describe(index));

describe("stratified parts have scikit-learn's numbers of each class", () => {
  it.each(golden.folds)("$count folds", ({ count, stratified, plain }) => {
    const folds = splitFolds(uneven, count, { seed: 5 });
    expect(folds.map(([, fold]) => classCounts(fold))).toEqual(stratified);
    expect(folds.flatMap(([, fold]) => placesOf(fold)).toSorted()).toEqual(placesOf(uneven).toSorted());
    for (const [rest, fold] of folds)
      expect([...placesOf(rest), ...placesOf(fold)].toSorted()).toEqual(placesOf(uneven).toSorted());
    const alike = splitFolds(uneven, count, { stratify: false });
    expect(alike.map(([, fold]) => fold.size)).toEqual(plain);
    expect(new Set(alike.flatMap(([, fold]) => placesOf(fold))).size).toBe(23);
  });

  it.each(golden.splits)("a split of $part", ({ part, held }) => {
    const [rest, taken] = splitOff(uneven, part, { stratify: true, seed: 2 });
    expect(classCounts(taken)).toEqual(held);
    expect([...placesOf(rest), ...placesOf(taken)].toSorted()).toEqual(placesOf(uneven).toSorted());
  });

  it("refuses folds that no class can fill", () => {
    expect(() => splitFolds(uneven, 12)).toThrow(/at most 11 images of a class, too few for 12 folds/);
    expect(() => splitFolds(uneven, 24)).toThrow(/from 2 to the 23 images of uneven, got 24/);
    expect(() => splitFolds(uneven, 1)).toThrow(/from 2 to the 23 images of uneven, got 1/);
  });
});

it("repeats each image in a row, in an order as that of timm's RepeatAugSampler", async () => {
  const data = fromArrays({ images: new Uint8Array(10), shape: [1, 1, 1], labels: new Int32Array(10), classes: ["a"] });
  const indices = async (options: object) => {
    const order: number[] = [];
    for await (const batch of data.batches({ batch: 4, shuffle: true, seed: 2, epoch: 1, ...options }))
      order.push(...batch.indices);
    return order;
  };
  const once = await indices({});
  // timm: repeat_interleave(permutation, 3), of which the first 10 are taken.
  const repeated = once.flatMap((index) => [index, index, index]).slice(0, 10);
  expect(await indices({ repeats: 3 })).toEqual(repeated);
  expect(await indices({ repeats: 3, skip: 1 })).toEqual(repeated.slice(4));
  await expect(indices({ repeats: 1.5 })).rejects.toThrow(/repeats should be a whole number from 1, not 1.5/);
});

describe('sampling "balanced"', () => {
  const options = { batch: 4, seed: 3, sampling: "balanced" } as const;
  const drawn = async (epoch: number, skip = 0) => {
    const batches = await all(uneven, { ...options, epoch, skip });
    return batches.flatMap(({ indices, labels }) => [...indices].map((index, i) => ({ index, label: labels[i]! })));
  };

  it("draws each class equally often, and repeats an image only after all others of its class", async () => {
    const counts = [0, 0, 0];
    for (const epoch of [0, 1, 2]) {
      const images = await drawn(epoch);
      expect(images).toHaveLength(23);
      for (const { index, label } of images) {
        expect(label).toBe(golden.labels[index]);
        counts[label]! += 1;
      }
      const times = golden.labels.map((_, image) => images.filter(({ index }) => index === image).length);
      // Seven or eight places for 7, 5 and 11 images.
      const byClass = [0, 1, 2].map((label) => times.filter((_, image) => golden.labels[image] === label));
      expect(byClass.map((each) => Math.max(...each) - Math.min(...each)).every((gap) => gap <= 1)).toBe(true);
    }
    expect(counts).toEqual([23, 23, 23]);
  });

  it("goes on in the middle of an epoch, and draws anew in the next", async () => {
    expect(await drawn(1, 2)).toEqual((await drawn(1)).slice(8));
    expect(await drawn(1)).not.toEqual(await drawn(0));
  });

  it("needs classes, and images in known places", async () => {
    await expect(all(uneven, { batch: 4, sampling: "even" as "balanced" })).rejects.toThrow(/"balanced", not "even"/);
    const generator = fromGenerator({ samples: function* () {}, shape: [1, 1, 1], classes: ["a", "b"] });
    await expect(all(generator, options)).rejects.toThrow(/yields its images in order/);
  });
});

describe("fromArrays", () => {
  const good = { images: new Uint8Array(8), shape: [2, 2, 1], labels: [0, 1] } as const;
  it.each([
    [
      "another count of labels",
      { ...good, labels: [0] },
      "arrays: there are 2 images but 1 labels; each image needs one",
    ],
    [
      "a label out of range",
      { ...good, labels: [0, 2], classes: ["a", "b"] },
      "arrays: label 1 is 2, but with 2 classes labels run from 0 to 1",
    ],
    ["a label that is no number", { ...good, labels: [0, Number.NaN] }, "arrays: label 1 is NaN"],
    [
      "half an image",
      { ...good, images: new Uint8Array(7) },
      "arrays: 7 values are not a whole number of 2x2x1 images",
    ],
    ["no image", { ...good, images: new Uint8Array(0), labels: [] }, "arrays: there is no image"],
    [
      "NaN",
      { ...good, images: Float32Array.of(0, 0, 0, 0, 0, Number.NaN, 0, 0) },
      "arrays: image 1 has a pixel that is NaN, not a number",
    ],
    [
      "a shape of two",
      { ...good, shape: [2, 0, 1] as const },
      "arrays: an image's shape should be [height, width, channels], not [2, 0, 1]",
    ],
  ])("refuses %s", (_, data, message) => {
    expect(() => fromArrays(data)).toThrow(message);
  });

  it("counts the classes where they have no names", () => {
    expect(fromArrays(good).classes).toEqual(["0", "1"]);
  });
});

describe("parts of batches", () => {
  /** Ten images of which some cannot be read, and the indices that were read so far. */
  const partly = (...unreadable: number[]) => {
    const read: number[] = [];
    const data = datasetFrom({
      name: "partly",
      classes: ["even", "odd"],
      shape: [1, 1, 1],
      dtype: "uint8",
      labels: ten.labels,
      read(indices, images) {
        read.push(...indices);
        const missing = [...indices.keys()].filter((place) => unreadable.includes(indices[place]!));
        for (const [place, index] of indices.entries()) images[place] = index;
        return Promise.resolve(missing);
      },
    });
    return { data, read };
  };
  const options = { batch: 4, shuffle: true, seed: 3 };

  it.each([2, 3, 4])("of %i workers are the batch together, and each reads its own images alone", async (of) => {
    const { data, read } = partly();
    const whole = await all(data, options);
    read.length = 0;
    const parts = await Promise.all(
      Array.from({ length: of }, (_, index) => all(data, { ...options, part: { index, of } })),
    );
    for (const [place, { images, labels, indices }] of whole.entries()) {
      const own = parts.map((batches) => batches[place]!);
      expect(own.map(({ part }) => part!.whole)).toEqual(own.map(() => labels.length));
      const rows = own.filter(({ part }) => part!.own > 0);
      expect(rows.flatMap((each) => [...each.images])).toEqual([...images]);
      expect(rows.flatMap((each) => [...each.labels])).toEqual([...labels]);
      expect(rows.flatMap((each) => [...each.indices])).toEqual([...indices]);
      for (const [index, each] of own.entries()) {
        const { release: _release, ...cut } = batchPart(whole[place]!, { index, of });
        expect({ ...each }).toMatchObject(cut);
      }
    }
    // The last batch has two images, of which one stands in for each worker without any.
    expect(read).toHaveLength(10 + 2 * Math.max(0, of - 2));
  });

  it("have another image in place of those that cannot be read, and no batch without any", async () => {
    const { indices } = (await all(ten, options))[0]!;
    const parts = { index: 0, of: 2 };
    const [first] = await all(partly(indices[0]!, indices[1]!).data, { ...options, part: parts });
    expect([[...first!.indices], first!.part]).toEqual([[indices[2]], { own: 0, whole: 4 }]);
    const [second] = await all(partly(indices[0]!).data, { ...options, part: parts });
    expect([[...second!.indices], second!.part]).toEqual([[indices[1]], { own: 1, whole: 4 }]);
    const rest = await all(partly(...indices).data, { ...options, part: parts });
    expect(rest.map(({ place }) => place)).toEqual([1, 2]);
  });

  it.each([
    { index: 2, of: 2 },
    { index: -1, of: 2 },
    { index: 0, of: 0 },
    { index: 0.5, of: 2 },
  ])("cannot be %o", async (part) => {
    await expect(all(ten, { batch: 4, part })).rejects.toThrow(/part should be \{ index, of \} with an index from 0/);
  });
});
