import { auc } from "./auc.ts";
import { type ClassReport, classReports, confusionMatrix, macroAverage } from "./confusion.ts";
import { argMax, inTopK } from "./in-top-k.ts";

/** A wrong prediction with a high probability. */
export interface Mistake {
  /** The example's index in the data set. */
  readonly index: number;
  readonly actual: number;
  readonly predicted: number;
  /** The probability given to the wrong class. */
  readonly probability: number;
}

/**
 * The result of an evaluation. `macro` holds unweighted means over the classes. `auc` is the exact area under the ROC
 * curve of each class against the rest, averaged over the classes that have one. It is null beyond 100 classes, or if
 * no class has one.
 */
export interface Evaluation {
  readonly count: number;
  readonly loss: number;
  /** Share of the images whose most likely class is right. */
  readonly accuracy: number;
  /** Share of the images whose class is among the five most likely. */
  readonly top5: number;
  readonly macro: { readonly precision: number; readonly recall: number; readonly f1: number };
  readonly auc: number | null;
  readonly perClass: readonly ClassReport[];
  readonly confusion: readonly (readonly number[])[];
}

/** Collects an evaluation batch by batch. Stores one number per image and class, for the area under the ROC curve. */
export interface Evaluator {
  /**
   * Probabilities are `[n, classes]` flat, or `[n]` of the second class if the model has one output. Returns the
   * predicted classes with their probabilities.
   */
  add(batch: {
    readonly labels: Int32Array;
    readonly indices: Int32Array;
    readonly probabilities: Float32Array;
    readonly loss: number;
  }): { readonly predicted: Int32Array; readonly probability: Float32Array; readonly probabilities: Float32Array };
  result(): Evaluation;
  readonly mistakes: readonly Mistake[];
}

/** An evaluator for the named classes that keeps the `mistakes` worst examples. */
export function evaluator(
  classes: readonly string[],
  options: {
    /** Number of worst examples to keep; 24 by default. */
    readonly mistakes?: number;
  } = {},
): Evaluator {
  const { mistakes: kept = 24 } = options;
  const width = classes.length;
  const matrix = confusionMatrix(width);
  // A curve stores one number per image: beyond a hundred classes, a mean that says little would take much memory.
  const curves = width <= 100 ? classes.map(() => auc()) : [];
  const mistakes: Mistake[] = [];
  let count = 0;
  let lossSum = 0;
  let correct = 0;
  let inTop5 = 0;

  const note = (mistake: Mistake) => {
    if (mistakes.length === kept && mistake.probability <= (mistakes.at(-1)?.probability ?? 0)) return;
    const place = mistakes.findIndex((other) => other.probability < mistake.probability);
    mistakes.splice(place === -1 ? mistakes.length : place, 0, mistake);
    if (mistakes.length > kept) mistakes.pop();
  };

  return {
    mistakes,
    add({ labels, indices, probabilities, loss }) {
      const n = labels.length;
      const table = probabilities.length === n ? bothClasses(probabilities) : probabilities;
      const predicted = new Int32Array(n);
      const probability = new Float32Array(n);
      for (let i = 0; i < n; i += 1) {
        const row = table.subarray(i * width, (i + 1) * width);
        const label = labels[i]!;
        const guess = argMax(row);
        predicted[i] = guess;
        probability[i] = row[guess]!;
        if (guess === label) correct += 1;
        else note({ index: indices[i]!, actual: label, predicted: guess, probability: row[guess]! });
        if (inTopK(row, label, 5)) inTop5 += 1;
      }
      curves.forEach((curve, index) =>
        curve.add(
          Float32Array.from(labels, (_, i) => table[i * width + index]!),
          Array.from(labels, (label) => label === index),
        ),
      );
      matrix.add(labels, predicted);
      lossSum += loss * n;
      count += n;
      return { predicted, probability, probabilities: table };
    },
    result() {
      const perClass = classReports(matrix.counts, classes);
      const areas = curves.map((curve) => curve.result()).filter((area) => !Number.isNaN(area));
      return {
        count,
        loss: lossSum / count,
        accuracy: correct / count,
        top5: inTop5 / count,
        macro: macroAverage(perClass),
        auc: areas.length === 0 ? null : areas.reduce((a, b) => a + b, 0) / areas.length,
        perClass,
        confusion: matrix.counts,
      };
    },
  };
}

function bothClasses(second: Float32Array): Float32Array {
  const table = new Float32Array(second.length * 2);
  second.forEach((p, i) => {
    table[2 * i] = 1 - p;
    table[2 * i + 1] = p;
  });
  return table;
}
