/** The area under the ROC curve, gathered in constant memory. */
export interface Auc {
  add(scores: ArrayLike<number>, positive: ArrayLike<number | boolean>): void;
  /** NaN until both a positive and a negative example have come. */
  result(): number;
}

/** Area under the ROC curve by `thresholds` steps of the probability, summed as trapezoids: Keras' AUC with its defaults. */
export function auc(thresholds = 200): Auc {
  // Bin b holds scores above threshold b - 1 and not above threshold b; a score counts as positive above a threshold.
  const inner = thresholds - 2;
  const limits = [-1e-7, ...Array.from({ length: inner }, (_, i) => (i + 1) / (thresholds - 1)), 1 + 1e-7];
  const positives = new Float64Array(thresholds + 1);
  const negatives = new Float64Array(thresholds + 1);
  return {
    add(scores, positive) {
      for (let i = 0; i < scores.length; i += 1) {
        const score = scores[i]!;
        let bin = Math.min(Math.max(Math.ceil(score * (thresholds - 1)), 0), thresholds);
        while (bin > 0 && score <= limits[bin - 1]!) bin -= 1;
        while (bin < thresholds && score > limits[bin]!) bin += 1;
        (positive[i] ? positives : negatives)[bin]! += 1;
      }
    },
    result() {
      const above = (bins: Float64Array) => {
        const counts = new Float64Array(thresholds);
        let total = 0;
        for (let threshold = thresholds - 1; threshold >= 0; threshold -= 1) {
          total += bins[threshold + 1]!;
          counts[threshold] = total;
        }
        return counts;
      };
      const allPositive = positives.reduce((a, b) => a + b, 0);
      const allNegative = negatives.reduce((a, b) => a + b, 0);
      if (allPositive === 0 || allNegative === 0) return Number.NaN;
      const tp = above(positives).map((count) => count / allPositive);
      const fp = above(negatives).map((count) => count / allNegative);
      let area = 0;
      for (let i = 0; i + 1 < thresholds; i += 1) area += ((fp[i]! - fp[i + 1]!) * (tp[i]! + tp[i + 1]!)) / 2;
      return area;
    },
  };
}
