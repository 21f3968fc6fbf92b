import { hasAccuracy, type OutputTask } from "../objective/output-tasks.ts";
import { auc } from "./auc.ts";
import { type ClassReport, classReports, confusionMatrix } from "./confusion.ts";
import { overlaps } from "./confusion-metric.ts";
import { type MaskExample, worstMasks } from "./mask-examples.ts";
import { determination } from "./named-metrics.ts";
import { averagePrecision, type CurvePoint, precisionRecallCurve } from "./precision-recall.ts";

/** One of several labels. `precision`, `recall` and `f1` are at `threshold`; `averagePrecision` and `auc` need none. */
export interface LabelReport {
  readonly label: string;
  /** The probability above which the label counts as predicted. */
  readonly threshold: number;
  /** Images with the label. */
  readonly support: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Null without an image that has the label. */
  readonly averagePrecision: number | null;
  /** The area under the ROC curve; null unless some images have the label and others have not. */
  readonly auc: number | null;
  /**
   * The threshold with the highest F1 on these images, halfway between two probabilities, and that F1; null without an image that has the
   * label.
   */
  readonly best: { readonly threshold: number; readonly f1: number } | null;
  /** Precision and recall by threshold, at most about 100 points. */
  readonly curve: readonly CurvePoint[];
}

/** One of the numbers that a model predicts. */
export interface NumberReport {
  readonly name: string;
  readonly mae: number;
  readonly rmse: number;
  /** The coefficient of determination; null if all true values are equal. */
  readonly r2: number | null;
  /** True and predicted values of at most 1,000 images. */
  readonly points: readonly (readonly [actual: number, predicted: number])[];
}

/** An image with a large difference between what it has and what is predicted. */
export interface WorstExample {
  /** The image's index in the data set. */
  readonly index: number;
  readonly actual: readonly number[];
  readonly predicted: readonly number[];
}

/** What one output was found to predict. */
export interface OutputEvaluation {
  readonly output: string;
  readonly target: string;
  readonly kind: OutputTask["kind"];
  readonly loss: number;
  /** Each class of images or, for masks, of pixels; missing for labels and numbers. */
  readonly perClass?: readonly ClassReport[] | undefined;
  /** `confusion[actual][predicted]`; missing for labels and numbers. */
  readonly confusion?: readonly (readonly number[])[] | undefined;
  /** Intersection over union of each class, null for a class that is neither there nor predicted; missing but for masks. */
  readonly overlaps?: readonly (number | null)[] | undefined;
  /** Each of several labels, at its threshold; missing for other targets. */
  readonly labels?: readonly LabelReport[] | undefined;
  /** Each number; missing for other targets. */
  readonly numbers?: readonly NumberReport[] | undefined;
  /** The images with the largest differences; missing but for labels and numbers. */
  readonly worst?: readonly WorstExample[] | undefined;
  /** The images whose masks overlap least, the worst first; missing but for masks. */
  readonly masks?: readonly MaskExample[] | undefined;
}

/** Gathers what one output predicts, batch by batch. */
export interface OutputEvaluator {
  add(batch: {
    readonly indices: Int32Array;
    readonly actual: ArrayLike<number>;
    /** Predictions; the most likely classes for masks. */
    readonly predicted: Float32Array;
    readonly loss: number;
  }): void;
  result(): OutputEvaluation;
}

/** The threshold of all labels, that of each, or `"f1"` for those of the highest F1 on the same images. */
export type Thresholds = number | readonly number[] | "f1";

/** An evaluator that keeps the `kept` images with the largest differences. */
export function outputEvaluator(
  task: OutputTask,
  { thresholds, kept }: { thresholds: Thresholds; kept: number },
): OutputEvaluator {
  const { kind, names } = task;
  const width = names.length;
  // An embedding is of classes, but tells none.
  const tellsClasses = kind === "mask" || hasAccuracy(task);
  const matrix = confusionMatrix(tellsClasses ? width : 0);
  const masks = worstMasks(width, { kept, ignore: task.ignore });
  const actuals: number[] = [];
  const predictions: number[] = [];
  const indices: number[] = [];
  let [lossSum, count] = [0, 0];
  return {
    add(batch) {
      const n = batch.indices.length;
      lossSum += batch.loss * n;
      count += n;
      if (kind === "mask") {
        matrix.add(batch.actual, batch.predicted, task.ignore);
        masks.add(batch);
      } else if (tellsClasses) matrix.add(batch.actual, likely(batch.predicted, n));
      else if (kind !== "class") {
        for (let place = 0; place < n * width; place += 1) {
          actuals.push(batch.actual[place]!);
          predictions.push(batch.predicted[place]!);
        }
        indices.push(...batch.indices);
      }
    },
    result() {
      const base = { output: task.output, target: task.target, kind, loss: lossSum / count };
      if (kind === "class" && !tellsClasses) return base;
      if (tellsClasses) {
        const perClass = classReports(matrix.counts, names);
        const shares = overlaps(matrix.counts).map(orNull);
        const told = { ...base, perClass, confusion: matrix.counts };
        return kind === "mask" ? { ...told, overlaps: shares, masks: masks.result() } : told;
      }
      const column = (values: readonly number[], place: number): number[] =>
        Array.from({ length: count }, (_, row) => values[row * width + place]!);
      const each = names.map((name, place) => ({
        name,
        actual: column(actuals, place),
        predicted: column(predictions, place),
      }));
      const worst = worstOf({ actuals, predictions, indices, width }, kept);
      if (kind === "labels")
        return {
          ...base,
          labels: each.map((label, place) => labelReport(label, thresholdOf(thresholds, place))),
          worst,
        };
      return { ...base, numbers: each.map(numberReport), worst };
    },
  };
}

interface Column {
  readonly name: string;
  readonly actual: readonly number[];
  readonly predicted: readonly number[];
}

function thresholdOf(thresholds: Thresholds, place: number): number | "f1" {
  return typeof thresholds === "object" ? thresholds[place]! : thresholds;
}

function labelReport({ name, actual, predicted }: Column, asked: number | "f1"): LabelReport {
  const positive = actual.map((value) => value > 0.5);
  const support = positive.filter(Boolean).length;
  const area = auc();
  area.add(predicted, positive);
  const curve = precisionRecallCurve(predicted, positive);
  const best = bestThreshold(curve);
  const threshold = asked === "f1" ? (best?.threshold ?? 0.5) : asked;
  const hits = predicted.filter((score, place) => score > threshold && positive[place]).length;
  const chosen = predicted.filter((score) => score > threshold).length;
  return {
    label: name,
    threshold,
    support,
    precision: ratio(hits, chosen),
    recall: ratio(hits, support),
    f1: ratio(2 * hits, chosen + support),
    averagePrecision: orNull(averagePrecision(predicted, positive)),
    auc: orNull(area.result()),
    best: best ?? null,
    curve: thinned(curve, 100),
  };
}

/**
 * The threshold of the highest F1: halfway between the last probability that counts and the next lower one, since a label counts above its
 * threshold. The highest of equally good ones.
 */
function bestThreshold(curve: readonly CurvePoint[]): { readonly threshold: number; readonly f1: number } | undefined {
  const f1 = ({ precision, recall }: CurvePoint) => ratio(2 * precision * recall, precision + recall);
  if (curve.length === 0) return undefined;
  const place = curve.reduce((found, point, at) => (f1(point) > f1(curve[found]!) ? at : found), 0);
  const next = curve[place + 1]?.threshold ?? 0;
  return { threshold: (curve[place]!.threshold + next) / 2, f1: f1(curve[place]!) };
}

function numberReport({ name, actual, predicted }: Column): NumberReport {
  const differences = actual.map((value, place) => predicted[place]! - value);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    name,
    mae: mean(differences.map((difference) => Math.abs(difference))),
    rmse: Math.sqrt(mean(differences.map((difference) => difference ** 2))),
    r2: orNull(determination({ truths: actual, scores: predicted })),
    points: thinned(
      actual.map((value, place) => [value, predicted[place]!] as const),
      1000,
    ),
  };
}

/** The images with the largest sums of differences. */
function worstOf(
  {
    actuals,
    predictions,
    indices,
    width,
  }: { actuals: number[]; predictions: number[]; indices: number[]; width: number },
  kept: number,
): WorstExample[] {
  const rows = indices.map((index, row) => {
    const actual = actuals.slice(row * width, (row + 1) * width);
    const predicted = predictions.slice(row * width, (row + 1) * width);
    const difference = actual.reduce((sum, value, place) => sum + Math.abs(value - predicted[place]!), 0);
    return { index, actual, predicted, difference };
  });
  return rows
    .toSorted((a, b) => b.difference - a.difference)
    .slice(0, kept)
    .map(({ difference: _difference, ...example }) => example);
}

/** The most likely class of each example; the second class of one output above 0.5. */
function likely(predicted: Float32Array, count: number): number[] {
  const width = predicted.length / count;
  return Array.from({ length: count }, (_, row) => {
    const own = predicted.subarray(row * width, (row + 1) * width);
    return width === 1 ? Number(own[0]! > 0.5) : own.indexOf(Math.max(...own));
  });
}

/** Evenly spaced elements of a list, with the first and the last. */
function thinned<Each>(list: readonly Each[], most: number): Each[] {
  if (list.length <= most) return [...list];
  return Array.from({ length: most }, (_, place) => list[Math.round((place * (list.length - 1)) / (most - 1))]!);
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
