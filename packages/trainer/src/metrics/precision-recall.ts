/** A threshold, and precision and recall of the examples that score at least so much. */
export interface CurvePoint {
  readonly threshold: number;
  readonly precision: number;
  readonly recall: number;
}

/** Precision and recall at each different score, from the highest on; empty without positive examples. NaN scores come last. */
export function precisionRecallCurve(scores: ArrayLike<number>, positive: ArrayLike<number | boolean>): CurvePoint[] {
  const order = Array.from({ length: scores.length }, (_, place) => place).toSorted((a, b) => scores[b]! - scores[a]!);
  const all = order.filter((place) => positive[place]).length;
  if (all === 0) return [];
  const points: CurvePoint[] = [];
  let [taken, hits] = [0, 0];
  for (const [rank, place] of order.entries()) {
    taken += 1;
    if (positive[place]) hits += 1;
    const next = order[rank + 1];
    if (next !== undefined && scores[next] === scores[place]) continue;
    points.push({ threshold: scores[place]!, precision: hits / taken, recall: hits / all });
  }
  return points;
}

/**
 * The mean of the precisions at each positive example, as scikit-learn's `average_precision_score`: steps, no
 * interpolation. NaN without positive examples.
 */
export function averagePrecision(scores: ArrayLike<number>, positive: ArrayLike<number | boolean>): number {
  const points = precisionRecallCurve(scores, positive);
  if (points.length === 0) return Number.NaN;
  return points.reduce((sum, { precision, recall }, place) => {
    const before = place === 0 ? 0 : points[place - 1]!.recall;
    return sum + (recall - before) * precision;
  }, 0);
}

/**
 * The area under the curve of precision over recall by trapezoids, as scikit-learn's `auc` of its
 * `precision_recall_curve`. NaN without positive examples.
 */
export function precisionRecallArea(scores: ArrayLike<number>, positive: ArrayLike<number | boolean>): number {
  const points = precisionRecallCurve(scores, positive);
  if (points.length === 0) return Number.NaN;
  return points.reduce((sum, { precision, recall }, place) => {
    const before = points[place - 1] ?? { precision: 1, recall: 0 };
    return sum + ((recall - before.recall) * (precision + before.precision)) / 2;
  }, 0);
}
