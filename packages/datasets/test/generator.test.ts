import { describe, expect, it } from "vitest";
import { fromGenerator } from "../src/dataset/from-generator.ts";
import type { BatchOptions, Dataset } from "../src/dataset/dataset.ts";

const counting = (count: number) =>
  fromGenerator({
    *samples(epoch) {
      for (let i = 0; i < count; i++) yield { image: Uint8Array.of(i, epoch), label: i % 2 };
    },
    shape: [1, 2, 1],
    classes: ["even", "odd"],
    size: count,
    buffer: 6,
  });

async function values(data: Dataset, options: BatchOptions) {
  const batches: number[][] = [];
  for await (const { images, labels, indices } of data.batches(options)) {
    for (const [place, index] of indices.entries())
      expect([images[2 * place], labels[place]]).toEqual([index, index % 2]);
    batches.push([...indices]);
  }
  return batches;
}

describe("fromGenerator", () => {
  it("gathers batches", async () => {
    expect(await values(counting(5), { batch: 2 })).toEqual([[0, 1], [2, 3], [4]]);
    expect(await values(counting(5), { batch: 2, dropRemainder: true })).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(await values(counting(5), { batch: 2, skip: 2 })).toEqual([[4]]);
  });

  it("shuffles by seed and epoch", async () => {
    const options = { batch: 4, shuffle: true, seed: 2 };
    const first = await values(counting(20), options);
    expect(first.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(await values(counting(20), options)).toEqual(first);
    expect(await values(counting(20), { ...options, epoch: 1 })).not.toEqual(first);
    expect(await values(counting(20), { ...options, skip: 3 })).toEqual(first.slice(3));
  });

  it.each([
    ["another size", { image: new Uint8Array(3), label: 0 }, "generator: sample 1 has 3 values; expected 2 (1x2x1)"],
    [
      "a label out of range",
      { image: new Uint8Array(2), label: 5 },
      "generator: sample 1 has the label 5, but with 2 classes labels run from 0 to 1",
    ],
    [
      "floats among bytes",
      { image: new Float32Array(2), label: 0 },
      'generator: sample 1 has floats; expected bytes, or dtype "float32"',
    ],
  ])("refuses %s", async (_, sample, message) => {
    const data = fromGenerator({
      samples: () => [{ image: new Uint8Array(2), label: 0 }, sample],
      shape: [1, 2, 1],
      classes: ["a", "b"],
    });
    await expect(values(data, { batch: 1 })).rejects.toThrow(message);
  });

  it("refuses NaN", async () => {
    const samples = () => [{ image: Float32Array.of(1, Number.NaN), label: 0 }];
    const data = fromGenerator({ samples, shape: [1, 2, 1], classes: ["a", "b"], dtype: "float32" });
    await expect(values(data, { batch: 1 })).rejects.toThrow(
      "generator: sample 0 has a pixel that is NaN, not a number",
    );
  });
});
