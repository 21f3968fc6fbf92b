import * as tf from "@tensorflow/tfjs-core";
import { averagePrecision, precisionRecallArea } from "./precision-recall.ts";
import { auc as rocAuc } from "./auc.ts";
import { confused, overlaps } from "./confusion-metric.ts";
import { decisions, ratio } from "./decisions.ts";
import { byPlace, collected, column, type Examples, type Metric, summed } from "./metric.ts";
import { classesOf, labelsOf } from "./true-values.ts";

/** The metrics that plans can name. */
export const metricNames = [
  "accuracy",
  "binary-accuracy",
  "exact-match",
  "top-k",
  "precision",
  "recall",
  "f1",
  "auc",
  "mean-average-precision",
  "mean-iou",
  "mae",
  "mse",
  "rmse",
  "r2",
] as const;

/** The name of a metric. */
export type MetricName = (typeof metricNames)[number];

/** A metric as plain data. */
export interface MetricPlan {
  readonly name: MetricName;
  /** The name in `history.csv`; the metric's own by default. */
  readonly as?: string | undefined;
  /** Over classes or labels: their mean (`macro`, the default), one number over all decisions (`micro`), or each (`none`). */
  readonly average?: "macro" | "micro" | "none" | undefined;
  /** The probability above which a label counts as predicted; 0.5 by default. */
  readonly threshold?: number | undefined;
  /** The number of most likely classes of `top-k`; 5 by default. */
  readonly k?: number | undefined;
  /** The curve of `auc`: `roc` by default, or `pr`, precision over recall. */
  readonly curve?: "roc" | "pr" | undefined;
}

/** Makes a metric by its name. */
export function metricOf(plan: MetricName | MetricPlan): Metric {
  const full = typeof plan === "string" ? { name: plan } : plan;
  return makers[full.name]({ ...full, as: full.as ?? full.name });
}

type Full = MetricPlan & { readonly as: string };

const makers: { readonly [Name in MetricName]: (plan: Full) => Metric } = {
  accuracy: ({ as }) =>
    summed({
      name: as,
      better: "higher",
      statistics(yTrue, yPred) {
        const { actual, predicted } = classesOf(yTrue, yPred);
        return tf.stack([
          tf.sum(tf.cast(tf.equal(actual, predicted), "float32")),
          tf.sum(tf.cast(tf.greaterEqual(actual, 0), "float32")),
        ]);
      },
      finish: share,
    }),
  "binary-accuracy": ({ as, threshold = 0.5 }) =>
    summed({
      name: as,
      better: "higher",
      statistics(yTrue, yPred) {
        const truth = labelsOf(yTrue, yPred);
        return shareOf(tf.equal(tf.greater(yPred, threshold), tf.greater(truth, 0.5)));
      },
      finish: share,
    }),
  "exact-match": ({ as, threshold = 0.5 }) =>
    summed({
      name: as,
      better: "higher",
      statistics(yTrue, yPred) {
        const truth = labelsOf(yTrue, yPred);
        return shareOf(tf.all(tf.equal(tf.greater(yPred, threshold), tf.greater(truth, 0.5)), -1));
      },
      finish: share,
    }),
  "top-k": ({ as, k = 5 }) =>
    summed({
      name: as,
      better: "higher",
      statistics(yTrue, yPred) {
        const actual = yTrue.rank === yPred.rank ? tf.argMax(yTrue, -1) : tf.cast(yTrue, "int32");
        const own = tf.sum(tf.mul(yPred, tf.oneHot(actual as tf.Tensor1D, yPred.shape.at(-1)!)), -1, true);
        const higher = tf.sum(tf.cast(tf.greater(yPred, own), "float32"), -1);
        return shareOf(tf.logicalAnd(tf.less(higher, k), tf.all(tf.isFinite(yPred), -1)));
      },
      finish: share,
    }),
  precision: (plan) => decisions(plan, ({ hits, false: wrong }) => ratio(hits, hits + wrong)),
  recall: (plan) => decisions(plan, ({ hits, missed }) => ratio(hits, hits + missed)),
  f1: (plan) => decisions(plan, ({ hits, false: wrong, missed }) => ratio(2 * hits, 2 * hits + wrong + missed)),
  auc: ({ as, average = "macro", curve = "roc" }) =>
    collected({
      name: as,
      better: "higher",
      finish: averaged(average, ({ truths, scores }) => {
        const positive = truths.map((truth) => truth > 0.5);
        if (curve === "pr") return precisionRecallArea(scores, positive);
        const area = rocAuc();
        area.add(scores, positive);
        return area.result();
      }),
    }),
  "mean-average-precision": ({ as, average = "macro" }) =>
    collected({
      name: as,
      better: "higher",
      finish: averaged(average, ({ truths, scores }) =>
        averagePrecision(
          scores,
          truths.map((truth) => truth > 0.5),
        ),
      ),
    }),
  "mean-iou": ({ as, average = "macro" }) =>
    confused(as, (counts) => {
      const each = overlaps(counts);
      if (average === "none") return byPlace(each);
      return meanOf(each);
    }),
  mae: ({ as }) => differences(as, (difference) => tf.abs(difference), mean),
  mse: ({ as }) => differences(as, (difference) => tf.square(difference), mean),
  rmse: ({ as }) =>
    differences(
      as,
      (difference) => tf.square(difference),
      (sums) => Math.sqrt(mean(sums)),
    ),
  r2: ({ as, average = "macro" }) =>
    collected({ name: as, better: "higher", finish: averaged(average === "micro" ? "macro" : average, determination) }),
};

/** The coefficient of determination of one number; NaN if all true values are equal. */
export function determination({ truths, scores }: { truths: readonly number[]; scores: readonly number[] }): number {
  const middle = truths.reduce((sum, value) => sum + value, 0) / truths.length;
  const total = truths.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  const rest = truths.reduce((sum, value, place) => sum + (value - scores[place]!) ** 2, 0);
  return total === 0 ? Number.NaN : 1 - rest / total;
}

/** A mean over all values of the differences of numbers. */
function differences(
  name: string,
  measure: (difference: tf.Tensor) => tf.Tensor,
  finish: (sums: readonly number[]) => number,
): Metric {
  return summed({
    name,
    better: "lower",
    statistics(yTrue, yPred) {
      const each = measure(tf.sub(yPred, labelsOf(yTrue, yPred)));
      return tf.stack([tf.sum(each), tf.scalar(each.size)]);
    },
    finish,
  });
}

function share([part, whole]: readonly number[]): number {
  return part! / whole!;
}

function mean([sum, count]: readonly number[]): number {
  return sum! / count!;
}

function averaged(
  average: "macro" | "micro" | "none",
  measure: (values: { truths: readonly number[]; scores: readonly number[] }) => number,
): (examples: Examples) => number | Readonly<Record<string, number>> {
  return (examples) => {
    if (average === "micro") return measure(examples);
    const each = Array.from({ length: examples.width }, (_, place) => measure(column(examples, place)));
    return average === "none" ? byPlace(each) : meanOf(each);
  };
}

/** The mean of the numbers that are not NaN. */
function meanOf(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.length === 0 ? Number.NaN : known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** The number of true values, and of all. */
function shareOf(isRight: tf.Tensor): tf.Tensor {
  return tf.stack([tf.sum(tf.cast(isRight, "float32")), tf.scalar(isRight.size)]);
}
