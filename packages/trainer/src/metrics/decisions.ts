import * as tf from "@tensorflow/tfjs-core";
import { byPlace, type Metric, summed } from "./metric.ts";
import { labelsOf } from "./true-values.ts";

/** True and false predictions of one class or label. */
export interface Decisions {
  readonly hits: number;
  readonly false: number;
  readonly missed: number;
}

/** How decisions are counted, as in the plan of a metric. */
export interface DecisionPlan {
  readonly as: string;
  readonly average?: "macro" | "micro" | "none" | undefined;
  readonly threshold?: number | undefined;
}

/** Precision, recall or F1: of the classes by the most likely one, of labels (and of one output) by the threshold. */
export function decisions(plan: DecisionPlan, finish: (decisions: Decisions) => number): Metric {
  const { as, average = "macro", threshold = 0.5 } = plan;
  return summed({
    name: as,
    better: "higher",
    statistics(yTrue, yPred) {
      const width = yPred.shape.at(-1)!;
      const isClass = yTrue.rank < yPred.rank && width > 1;
      const truth = isClass ? tf.oneHot(tf.cast(yTrue, "int32") as tf.Tensor1D, width) : labelsOf(yTrue, yPred);
      const got = isClass ? tf.oneHot(tf.argMax(yPred, -1) as tf.Tensor1D, width) : tf.greater(yPred, threshold);
      const wanted = tf.cast(isClass ? truth : tf.greater(truth, 0.5), "float32");
      // Pixels that are not judged have the class -1.
      const isJudged = tf.cast(tf.greaterEqual(isClass ? tf.expandDims(yTrue, -1) : truth, 0), "float32");
      const chosen = tf.mul(tf.cast(got, "float32"), isJudged);
      const sum = (values: tf.Tensor) => tf.sum(tf.reshape(values, [-1, width]), 0);
      return tf.stack([
        sum(tf.mul(wanted, chosen)),
        sum(tf.mul(tf.sub(1, wanted), chosen)),
        sum(tf.mul(wanted, tf.sub(1, chosen))),
      ]);
    },
    finish(sums) {
      const width = sums.length / 3;
      const each = Array.from({ length: width }, (_, place) => ({
        hits: sums[place]!,
        false: sums[width + place]!,
        missed: sums[2 * width + place]!,
      }));
      if (average === "none") return byPlace(each.map(finish));
      if (average === "macro") return each.map(finish).reduce((sum, value) => sum + value, 0) / width;
      return finish({
        hits: each.reduce((sum, { hits }) => sum + hits, 0),
        false: each.reduce((sum, { false: wrong }) => sum + wrong, 0),
        missed: each.reduce((sum, { missed }) => sum + missed, 0),
      });
    },
  });
}

/** A share; 0 of nothing. */
export function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
