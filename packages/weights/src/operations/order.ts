import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type { Operations } from "./operation.ts";
import { along } from "./along.ts";
import type { Values } from "./values.ts";

/** The elements over some axes as rows in ascending order, `[…, count]`, and the shape with those axes left out or as 1. */
function sortedRows(v: Values, x: tf.Tensor): { rows: tf.Tensor; sides: number[] } {
  const axes = v.axes("axis", x.rank);
  const rest = [...x.shape.keys()].filter((axis) => !axes.includes(axis));
  const flat = tf.reshape(tf.transpose(x, [...rest, ...axes]), [...rest.map((axis) => x.shape[axis]!), -1]);
  const rows = tf.neg(tf.topk(tf.neg(flat), flat.shape.at(-1)).values);
  const sides = x.shape.flatMap((size, axis) => (axes.includes(axis) ? (v.flag("keepdims") ? [1] : []) : [size]));
  return { rows, sides };
}

/** Quantiles `q` of 0 to `whole` as NumPy computes them, several along a new first axis. */
function quantiles(v: Values, whole: number): tf.Tensor {
  const { rows, sides } = sortedRows(v, v.tensor("x"));
  const last = rows.shape.at(-1)! - 1;
  const at = (place: number): tf.Tensor => along(rows, rows.rank - 1, place, 1);
  const method = v.word("method", "linear");
  const one = (q: number): tf.Tensor => {
    const place = (q / whole) * last;
    const [low, high] = [Math.floor(place), Math.ceil(place)];
    if (method === "lower") return at(low);
    if (method === "higher") return at(high);
    if (method === "midpoint") return tf.div(tf.add(at(low), at(high)), 2);
    if (method === "linear") return tf.add(tf.mul(at(low), 1 - (place - low)), tf.mul(at(high), place - low));
    throw new OptionError(`expected the method linear, lower, higher or midpoint, got ${method}`);
  };
  const q = v.get("q");
  const list = q instanceof tf.Tensor ? ([q.arraySync()].flat() as number[]) : v.numbers("q")!;
  const found = list.map((part) => tf.reshape(one(part), sides));
  const isOne = q instanceof tf.Tensor ? q.rank === 0 : typeof q === "number";
  return isOne ? found[0]! : tf.stack(found);
}

/**
 * Keras' sparsemax: `max(x - t, 0)`. Its t is the mean of the running sums of the largest elements, less 1 over their
 * number; Martins et al. 2016, https://arxiv.org/abs/1602.02068, have the last running sum instead.
 */
export function sparsemax(x: tf.Tensor): tf.Tensor {
  const count = x.shape.at(-1)!;
  const { values } = tf.topk(x, count);
  const sums = tf.cumsum(values, values.rank - 1);
  const ranks = tf.range(1, count + 1);
  const isIn = tf.greater(tf.add(tf.mul(values, ranks), 1), sums);
  const size = tf.sum(tf.cast(isIn, "float32"), -1, true);
  const total = tf.sum(tf.where(isIn, sums, tf.zerosLike(sums)), -1, true);
  return tf.relu(tf.sub(x, tf.div(tf.sub(total, 1), size)));
}

/** Functions that depend on the order of elements by size. */
export const order: Operations = {
  quantile: ["x q axis method keepdims", (v) => quantiles(v, 1)],
  percentile: ["x q axis method keepdims", (v) => quantiles(v, 100)],
  searchsorted: [
    "sorted_sequence values side",
    (v) => {
      const [bounds, values] = [v.tensor("sorted_sequence"), tf.expandDims(v.tensor("values"), -1)];
      const isBelow = v.word("side", "left") === "left" ? tf.less(bounds, values) : tf.lessEqual(bounds, values);
      return tf.sum(tf.cast(isBelow, "int32"), -1);
    },
  ],
  sparsemax: [
    "x axis",
    (v) => {
      const x = v.tensor("x");
      const axis = v.axis("axis", x.rank, -1);
      const turn = [...x.shape.keys()].filter((other) => other !== axis);
      const back = x.shape.map((_, i) => (i === axis ? x.rank - 1 : turn.indexOf(i)));
      return tf.transpose(sparsemax(tf.transpose(x, [...turn, axis])), back);
    },
  ],
};
