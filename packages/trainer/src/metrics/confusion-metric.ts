import * as tf from "@tensorflow/tfjs-core";
import { classReports, confusionMatrix } from "./confusion.ts";
import type { Metric } from "./metric.ts";
import { classesOf } from "./true-values.ts";

/** A metric of the confusion matrix of classes. */
export function confused(
  name: string,
  finish: (counts: readonly (readonly number[])[]) => ReturnType<Metric["result"]>,
): Metric {
  let matrix = confusionMatrix(0);
  return {
    name,
    better: "higher",
    statistics(yTrue, yPred) {
      const { actual, predicted, classes } = classesOf(yTrue, yPred);
      // The pixels of masks are counted in the step; a matrix of the classes of a few images can be larger than its batch.
      if (yTrue.rank > 1 && yTrue.rank < yPred.rank) return [confusionCounts(actual, predicted, classes)];
      return [tf.cast(actual, "float32"), tf.cast(predicted, "float32"), tf.scalar(classes)];
    },
    update(actual, predicted, classes) {
      if (predicted === undefined) {
        const [width = 0] = actual!.shape;
        if (matrix.counts.length === 0) matrix = confusionMatrix(width);
        for (const [row, counts] of matrix.counts.entries())
          for (let column = 0; column < width; column += 1) counts[column]! += actual!.data[row * width + column]!;
        return;
      }
      if (matrix.counts.length === 0) matrix = confusionMatrix(classes!.data[0]!);
      matrix.add(actual!.data, predicted!.data);
    },
    result: () => (matrix.counts.length === 0 ? Number.NaN : finish(matrix.counts)),
    reset() {
      matrix = confusionMatrix(0);
    },
    state: () => matrix.counts.map((row) => [...row]),
    restore(state) {
      const counts = state as number[][];
      matrix = confusionMatrix(counts.length);
      for (const [place, row] of counts.entries()) matrix.counts[place]!.splice(0, row.length, ...row);
    },
  };
}

/** Counts of pixels by their true and their predicted class; pixels with the class -1 are left out. `[p], [p] -> [classes, classes]` */
function confusionCounts(actual: tf.Tensor, predicted: tf.Tensor, classes: number): tf.Tensor {
  const isJudged = tf.greaterEqual(actual, 0);
  const cells = tf.add(tf.mul(actual, tf.scalar(classes, "int32")), tf.cast(predicted, "int32"));
  const known = tf.where(isJudged, cells, tf.zerosLike(cells)) as tf.Tensor1D;
  const counts = tf.denseBincount(known, tf.cast(isJudged, "float32") as tf.Tensor1D, classes * classes);
  return tf.reshape(counts, [classes, classes]);
}

/** Intersection over union of each class; NaN for a class that is neither there nor predicted. */
export function overlaps(counts: readonly (readonly number[])[]): number[] {
  return classReports(counts, []).map(({ support, correct }, place) => {
    const predicted = counts.reduce((sum, row) => sum + row[place]!, 0);
    const union = support + predicted - correct;
    return union === 0 ? Number.NaN : correct / union;
  });
}
