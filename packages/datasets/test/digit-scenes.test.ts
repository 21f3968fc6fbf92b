import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { TargetValues } from "../src/dataset/dataset.ts";
import { loadIdxSet } from "../src/published/idx-set.ts";
import {
  type DigitScenes,
  loadDigitScenes,
  mnistCount,
  mnistMasks,
  multiMnist,
} from "../src/published/digit-scenes.ts";
import { mnist } from "../src/published/mnist.ts";

const [train, test] = [200, 40];
/** The first images of a set for training, with the values of their target; they are the same on every machine. */
async function firstOf(scenes: DigitScenes, sha256: string) {
  const { train: images, test: others } = await loadDigitScenes({ ...scenes, train, test });
  const hash = createHash("sha256");
  const all: { readonly images: Uint8Array; readonly values: TargetValues }[] = [];
  for (const split of [images, others!])
    for await (const batch of split.batches({ batch: split.size })) {
      const values = batch.targets![scenes.target.name]!;
      hash.update(batch.images).update(Uint8Array.from(values));
      all.push({ images: batch.images as Uint8Array, values });
    }
  expect(hash.digest("hex")).toBe(sha256);
  return all[0]!;
}

/** The ink of each cell of 24x24 pixels, and the values of a mask there. */
function cellsOf(image: ArrayLike<number>, mask: ArrayLike<number>, width: number) {
  const across = width / 24;
  const cells = Array.from({ length: across * across }, () => ({ ink: 0, marks: new Set<number>() }));
  for (let place = 0; place < width * width; place += 1) {
    const cell = cells[Math.floor(place / width / 24) * across + Math.floor((place % width) / 24)]!;
    cell.ink += image[place]!;
    if (mask[place]! > 0) cell.marks.add(mask[place]!);
  }
  return cells.filter(({ ink }) => ink > 0);
}

describe("images composed of MNIST", () => {
  it("multi-mnist has two digits of different classes", async () => {
    const sha256 = "1a00392339956fff782d56f6a54e9a08dfe65234b1b635a9fdd2f25fb2db8a34";
    const { images, values } = await firstOf(multiMnist, sha256);
    for (let image = 0; image < train; image += 1)
      expect([...values.subarray(image * 10, image * 10 + 10)].filter((value) => value === 1)).toHaveLength(2);
    expect(images.length).toBe(train * 36 * 36);
  });

  it("mnist-count has as many cells with ink as it says", async () => {
    const sha256 = "bd57ea2fba4dbe3fdc87261639ac83036eda447f797000a9f783250064e6b30f";
    const { images, values } = await firstOf(mnistCount, sha256);
    const counts = Array.from(values, (_, image) =>
      cellsOf(images.subarray(image * 72 * 72, (image + 1) * 72 * 72), [], 72),
    );
    expect(counts.map(({ length }) => length)).toEqual([...values]);
    expect([...new Set(values)].toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("mnist-masks marks the bright pixels of each digit with its class, by the ink of MNIST's own", async () => {
    const inks = new Map<number, Set<number>>();
    const { train: digits } = await loadIdxSet(mnist);
    for await (const { images, labels } of digits.batches({ batch: 10_000 }))
      for (const [row, label] of labels.entries()) {
        let ink = 0;
        for (let place = row * 784; place < row * 784 + 784; place += 1) ink += images[place]!;
        inks.set(label, (inks.get(label) ?? new Set()).add(ink));
      }
    const sha256 = "91bcadf892e9a6af413b508f4a54ac60ee4e12c618f0e814234811e39abf52da";
    const { images, values } = await firstOf(mnistMasks, sha256);
    expect(images.findIndex((value, place) => value > 127 !== values[place]! > 0)).toBe(-1);
    for (let image = 0; image < train; image += 1) {
      const [from, to] = [image * 48 * 48, (image + 1) * 48 * 48];
      const cells = cellsOf(images.subarray(from, to), values.subarray(from, to), 48);
      expect(cells.length).toBeGreaterThan(0);
      expect(cells.length).toBeLessThan(4);
      for (const { ink, marks } of cells) {
        expect(marks.size).toBe(1);
        expect(inks.get([...marks][0]! - 1)!.has(ink)).toBe(true);
      }
    }
  });
});
