/** Counts of predictions: `counts[actual][predicted]`. */
export interface ConfusionMatrix {
  readonly counts: readonly number[][];
  /** Adds examples by class number; those whose number is `ignore` are left out. */
  add(actual: ArrayLike<number>, predicted: ArrayLike<number>, ignore?: number): void;
}

/** An empty confusion matrix of that many classes. */
export function confusionMatrix(classes: number): ConfusionMatrix {
  const counts = Array.from({ length: classes }, () => Array.from({ length: classes }, () => 0));
  return {
    counts,
    add(actual, predicted, ignore) {
      for (let i = 0; i < actual.length; i += 1) {
        if (actual[i] === ignore) continue;
        const row = counts[actual[i]!]!;
        row[predicted[i]!]! += 1;
      }
    },
  };
}

/** Precision, recall and F1 of one class; a ratio with nothing to divide by is 0, as in scikit-learn and Keras. */
export interface ClassReport {
  readonly label: string;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Examples that are of the class. */
  readonly support: number;
  readonly correct: number;
}

/** Precision, recall and F1 of each class of a confusion matrix. */
export function classReports(counts: readonly (readonly number[])[], labels: readonly string[]): ClassReport[] {
  return counts.map((row, index) => {
    const correct = row[index]!;
    const support = sum(row);
    const predicted = sum(counts.map((other) => other[index]!));
    const precision = ratio(correct, predicted);
    const recall = ratio(correct, support);
    return {
      label: labels[index] ?? String(index),
      precision,
      recall,
      f1: ratio(2 * precision * recall, precision + recall),
      support,
      correct,
    };
  });
}

/** The unweighted means over the classes. */
export function macroAverage(reports: readonly ClassReport[]): { precision: number; recall: number; f1: number } {
  const mean = (key: "precision" | "recall" | "f1") => ratio(sum(reports.map((each) => each[key])), reports.length);
  return { precision: mean("precision"), recall: mean("recall"), f1: mean("f1") };
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
