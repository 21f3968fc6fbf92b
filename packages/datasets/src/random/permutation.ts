import { uniformStream } from "@convkit/augment/internal";

/** A random order of `0 … size - 1` (Fisher and Yates); it depends only on the seed and the epoch. */
export function permutation(size: number, seed: number, epoch = 0): Int32Array {
  const order = Int32Array.from({ length: size }, (_, index) => index);
  const uniform = uniformStream(seed, epoch);
  for (let last = size - 1; last > 0; last--) {
    const pick = Math.floor(uniform() * (last + 1));
    const value = order[pick]!;
    order[pick] = order[last]!;
    order[last] = value;
  }
  return order;
}
