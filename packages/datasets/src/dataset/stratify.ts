import { DataError } from "../data-error.ts";
import { permutation } from "../random/permutation.ts";
import type { IndexedDataset } from "./dataset.ts";
import { classCounts } from "./statistics.ts";

/**
 * Draws `count` images with the shares of the classes in `data`, rounded so that the largest fractions are rounded up,
 * as scikit-learn's `StratifiedShuffleSplit`.
 */
export function drawStratified(data: IndexedDataset, count: number, seed: number): Int32Array {
  checkClasses(data);
  const wanted = proportionalCounts(classCounts(data), count);
  return permutation(data.size, seed).filter((image) => wanted[data.labels[image]!]!-- > 0);
}

/** Throws a `DataError` if there is no class to stratify by. */
export function checkClasses({ name, classes }: IndexedDataset): void {
  if (classes.length > 0) return;
  throw new DataError(`stratify needs a class for each image, and ${name} has none; leave stratify out`);
}

/** `count` shared out in proportion to `counts`, by largest remainders. */
function proportionalCounts(counts: readonly number[], count: number): number[] {
  const total = counts.reduce((sum, each) => sum + each, 0);
  const shares = counts.map((each) => Math.floor((each * count) / total));
  const missing = count - shares.reduce((sum, each) => sum + each, 0);
  const byRemainder = counts.map((each, place) => ({ place, remainder: (each * count) % total }));
  const raised = byRemainder.toSorted((a, b) => b.remainder - a.remainder).slice(0, missing);
  for (const { place } of raised) shares[place]! += 1;
  return shares;
}
