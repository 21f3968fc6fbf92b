/** The `k` classes of the greatest scores, best first; of equal scores the lower class comes first. */
export function topClasses(scores: ArrayLike<number>, k: number): number[] {
  const best: number[] = [];
  for (let index = 0; index < scores.length; index += 1) {
    if (best.length === k && scores[index]! <= scores[best[k - 1]!]!) continue;
    let place = best.length;
    while (place > 0 && scores[best[place - 1]!]! < scores[index]!) place -= 1;
    best.splice(place, 0, index);
    if (best.length > k) best.pop();
  }
  return best;
}

/** Whether fewer than `k` classes score higher than `label`; equal scores count as TensorFlow's `in_top_k` counts them. */
export function inTopK(scores: ArrayLike<number>, label: number, k: number): boolean {
  const score = scores[label]!;
  // What is not a number is in no top: TensorFlow says so too.
  if (!Number.isFinite(score)) return false;
  let higher = 0;
  for (let index = 0; index < scores.length; index += 1) {
    if (!Number.isFinite(scores[index]!)) return false;
    if (scores[index]! > score) higher += 1;
  }
  return higher < k;
}
