/** The area under the ROC curve of the examples added so far. */
export interface Auc {
  /** Adds examples: the score of each, and whether it belongs to the class. */
  add(scores: ArrayLike<number>, positive: ArrayLike<number | boolean>): void;
  /** NaN until there are a positive and a negative example, and if a score is NaN. */
  result(): number;
}

/**
 * The exact area under the ROC curve: the share of pairs of a positive and a negative example in which the positive one has the
 * higher score; equal scores count half (Mann and Whitney 1947; scikit-learn's roc_auc_score). Every score is kept, 4 to 8 bytes each.
 */
export function auc(): Auc {
  const positives: Scores[] = [];
  const negatives: Scores[] = [];
  return {
    add(scores, positive) {
      const wanted = Array.from({ length: scores.length }, (_, i) => Boolean(positive[i]));
      const all = scores instanceof Float32Array ? scores : Float64Array.from(scores);
      positives.push(all.filter((_, i) => wanted[i]!));
      negatives.push(all.filter((_, i) => !wanted[i]!));
    },
    result() {
      const [above, below] = [sorted(positives), sorted(negatives)];
      if (above.length === 0 || below.length === 0) return Number.NaN;
      // Sorting puts NaN last.
      if (Number.isNaN(above.at(-1)) || Number.isNaN(below.at(-1))) return Number.NaN;
      let wins = 0;
      let [lower, lowerOrEqual] = [0, 0];
      for (const score of above) {
        while (lower < below.length && below[lower]! < score) lower += 1;
        while (lowerOrEqual < below.length && below[lowerOrEqual]! <= score) lowerOrEqual += 1;
        wins += (lower + lowerOrEqual) / 2;
      }
      return wins / (above.length * below.length);
    },
  };
}

type Scores = Float32Array | Float64Array;

function sorted(chunks: readonly Scores[]): Float64Array {
  const all = new Float64Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let place = 0;
  for (const chunk of chunks) {
    all.set(chunk, place);
    place += chunk.length;
  }
  return all.toSorted();
}
