import type { JsonValue } from "@convkit/files";
import type * as tf from "@tensorflow/tfjs-core";

/** A tensor as JavaScript values. */
export interface MetricValues {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
}

/**
 * A number that is gathered over the batches of an epoch or of an evaluation. `yTrue` is `[n]` class numbers, or the
 * target's `[n, ...]`; `yPred` is what the model predicts: probabilities of classes and labels, numbers as they are.
 */
export interface Metric {
  /** The name in `history.csv`, in TensorBoard and in reports. */
  readonly name: string;
  /** Whether higher or lower is better, for `monitor`; a metric without it cannot be watched. */
  readonly better?: "higher" | "lower" | undefined;
  /** Computes inside the compiled step what `update` needs of a batch; by default `update` gets `yTrue` and `yPred`. */
  statistics?(yTrue: tf.Tensor, yPred: tf.Tensor): tf.Tensor | readonly tf.Tensor[];
  /** Adds a batch: its `yTrue` and `yPred`, or what `statistics` returns. */
  update(...values: readonly MetricValues[]): void;
  /** The number over all batches since the last `reset`, or several by name. */
  result(): number | Readonly<Record<string, number>>;
  /** Forgets all batches. */
  reset(): void;
  /** What a checkpoint within an epoch keeps; without it, an epoch that is resumed counts the batches after the resume only. */
  state?(): JsonValue;
  /** Takes over what `state` gave. */
  restore?(state: JsonValue): void;
}

/** A metric that is the mean over the examples of a function with one value for each. */
export type MetricFunction = (yTrue: tf.Tensor, yPred: tf.Tensor) => tf.Tensor;

/** A metric that adds up numbers over the batches. */
export function summed({
  name,
  better,
  statistics,
  finish,
}: {
  readonly name: string;
  readonly better: "higher" | "lower" | undefined;
  readonly statistics: (yTrue: tf.Tensor, yPred: tf.Tensor) => tf.Tensor;
  readonly finish: (sums: readonly number[]) => ReturnType<Metric["result"]>;
}): Metric {
  let sums: number[] = [];
  return {
    name,
    better,
    statistics,
    update(values) {
      const { data } = values!;
      sums = Array.from(data, (value, place) => (sums[place] ?? 0) + value);
    },
    result: () => (sums.length === 0 ? Number.NaN : finish(sums)),
    reset() {
      sums = [];
    },
    state: () => sums,
    restore(state) {
      sums = state as number[];
    },
  };
}

/** A metric that keeps the true and the predicted values of all examples. */
export function collected({
  name,
  better,
  finish,
}: {
  readonly name: string;
  readonly better: "higher" | "lower";
  readonly finish: (examples: Examples) => ReturnType<Metric["result"]>;
}): Metric {
  let truths: number[] = [];
  let scores: number[] = [];
  let width = 1;
  return {
    name,
    better,
    update(yTrue, yPred) {
      const count = yPred!.shape[0] ?? 0;
      if (count === 0) return;
      width = yPred!.data.length / count;
      for (const value of Array.from(truthRows(yTrue!, width))) truths.push(value);
      for (let place = 0; place < yPred!.data.length; place += 1) scores.push(yPred!.data[place]!);
    },
    result: () => (scores.length === 0 ? Number.NaN : finish({ truths, scores, width })),
    reset() {
      truths = [];
      scores = [];
    },
    state: () => ({ truths, scores, width }),
    restore(state) {
      ({ truths, scores, width } = state as unknown as { truths: number[]; scores: number[]; width: number });
    },
  };
}

/** True values and predictions, `width` of each for an example. */
export interface Examples {
  readonly truths: readonly number[];
  readonly scores: readonly number[];
  readonly width: number;
}

/** The values of one label, class or number over all examples. */
export function column({ truths, scores, width }: Examples, place: number): { truths: number[]; scores: number[] } {
  const pick = (values: readonly number[]): number[] =>
    Array.from({ length: values.length / width }, (_, row) => values[row * width + place]!);
  return { truths: pick(truths), scores: pick(scores) };
}

/** Class numbers as a 1 for the class and 0 for the others. */
function truthRows({ data, shape }: MetricValues, width: number): ArrayLike<number> {
  const count = shape[0]!;
  if (data.length === count * width) return data;
  const rows = new Float32Array(count * width);
  // The other form of two classes with one output is the probability of the second class.
  if (data.length === 2 * count && width === 1) return Float32Array.from({ length: count }, (_, i) => data[2 * i + 1]!);
  for (let row = 0; row < count; row += 1) rows[row * width + data[row]!] = 1;
  return rows;
}

/** Numbers by their places, for results with a number for each class. */
export function byPlace(values: readonly number[]): Record<string, number> {
  return Object.fromEntries(values.map((value, place) => [String(place), value]));
}
