import { type Batch, fromArrays, type IndexedDataset } from "@convkit/datasets";
import { expect, test } from "vitest";
import { changedData } from "../src/inference/corrupted-data.ts";
import { resizedData } from "../src/inputs/resized-dataset.ts";

const data = fromArrays({
  images: Uint8Array.from({ length: 12 }, (_, place) => Math.floor(place / 4)),
  shape: [2, 2, 1],
  labels: [0, 1, 0],
  classes: ["a", "b"],
});

/** Makes that hand on the batches of another data set, and so its option `part`. */
const made: readonly (readonly [string, IndexedDataset])[] = [
  ["resized", resizedData(data, [1, 1])],
  ["corrupted", changedData(data, (pixels) => Promise.resolve(pixels))],
];

test.each(made)("a %s data set hands on the part of a batch that a worker reads", async (_title, set) => {
  const batches: Batch[] = [];
  for await (const batch of set.batches({ batch: 3, part: { index: 1, of: 2 } })) batches.push(batch);
  expect(batches.map(({ part, indices }) => [part, [...indices]])).toEqual([[{ own: 2, whole: 3 }, [1, 2]]]);
});

test.each(["resized", "corrupted"])("a %s data set hands on all of a batch but its images", async (title) => {
  const targets = { height: { kind: "numbers" as const, names: ["height"], values: [1.5, 2.5, 3.5] } };
  const images = Uint8Array.from({ length: 12 }, (_, place) => place);
  const told = fromArrays({ images, shape: [2, 2, 1], targets });
  const set = title === "resized" ? resizedData(told, [2, 2]) : changedData(told, (pixels) => Promise.resolve(pixels));
  const all = async (from: IndexedDataset) => {
    const batches: object[] = [];
    for await (const { release: _, ...batch } of from.batches({ batch: 2 })) batches.push(batch);
    return batches;
  };
  const expected = await all(told);
  expect(expected[1]).toMatchObject({ place: 1, targets: { height: Float32Array.of(3.5) } });
  expect(await all(set)).toEqual(expected);
});
