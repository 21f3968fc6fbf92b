import { OptionError, shown } from "@convkit/errors";

/** Numbers of the `k` classes with the highest scores, highest first; of equal scores the lower class comes first. */
export function topClasses(scores: ArrayLike<number>, k: number): number[] {
  if (typeof scores?.length !== "number" || !Number.isInteger(k)) {
    throw new OptionError(
      `topClasses: expected the scores of an image and how many classes, got ${shown(scores)} and ${shown(k)}.`,
    );
  }
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
