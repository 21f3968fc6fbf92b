import { shown } from "@convkit/errors";
import { DataError } from "../data-error.ts";
import type { IndexedDataset } from "./dataset.ts";

/** Masks that are read at once. */
const atOnce = 64;

/**
 * The number of pixels of each class in all masks of the target `target`, without those that are not judged. Masks of files are read
 * for it, some at a time. Throws a `DataError` if the data set has no such masks.
 */
export async function maskPixels(data: IndexedDataset, target: string): Promise<number[]> {
  const { kind, names = [], ignore } = data.targets?.[target] ?? {};
  if (kind !== "mask") throw new DataError(`maskPixels: ${data.name} has no masks called ${shown(target)}`);
  const counts = names.map(() => 0);
  const add = (values: ArrayLike<number>): void => {
    for (let place = 0; place < values.length; place += 1) if (values[place] !== ignore) counts[values[place]!]! += 1;
  };
  const inMemory = data.targetValues?.[target];
  if (inMemory !== undefined) add(inMemory);
  else
    for (let from = 0; from < data.size; from += atOnce)
      add(await data.readMasks!(Int32Array.from({ length: Math.min(atOnce, data.size - from) }, (_, i) => from + i)));
  return counts;
}
