/**
 * True if fewer than `k` classes score higher than `label`, as in TensorFlow's `in_top_k`; false if a score is not
 * finite.
 */
export function inTopK(scores: ArrayLike<number>, label: number, k: number): boolean {
  const score = scores[label]!;
  if (!Number.isFinite(score)) return false;
  let higher = 0;
  for (let index = 0; index < scores.length; index += 1) {
    if (!Number.isFinite(scores[index]!)) return false;
    if (scores[index]! > score) higher += 1;
  }
  return higher < k;
}

/** The class with the highest score; among equal scores, the lowest class. */
export function argMax(scores: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < scores.length; index += 1) if (scores[index]! > scores[best]!) best = index;
  return best;
}
