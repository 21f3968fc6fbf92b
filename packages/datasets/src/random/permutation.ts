import { uniformStream } from "@convkit/augment/internal";

/** A random order of `0 … size - 1` (Fisher and Yates); it depends only on the seed and the epoch. */
export function permutation(size: number, seed: number, epoch = 0): Int32Array {
  const order = Int32Array.from({ length: size }, (_, index) => index);
  shuffle(order, uniformStream(seed, epoch));
  return order;
}

/** Brings `values` into a random order, in place; `uniform` gives numbers from 0 to below 1. */
export function shuffle(values: Int32Array, uniform: () => number): void {
  for (let last = values.length - 1; last > 0; last--) {
    const pick = Math.floor(uniform() * (last + 1));
    const value = values[pick]!;
    values[pick] = values[last]!;
    values[last] = value;
  }
}
