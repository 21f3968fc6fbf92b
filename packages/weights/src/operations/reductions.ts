import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type { Operations, Run } from "./operation.ts";
import type { Values } from "./values.ts";

type Reduce = (x: tf.Tensor, axes: number[], keep: boolean) => tf.Tensor;

const over = (reduce: Reduce): [string, Run] => [
  "x axis keepdims",
  (v) => {
    const x = v.tensor("x");
    return reduce(x, v.axes("axis", x.rank), v.flag("keepdims"));
  },
];

const variance: Reduce = (x, axes, keep) => tf.mean(tf.square(tf.sub(x, tf.mean(x, axes, true))), axes, keep);

const withoutNaN = (x: tf.Tensor): tf.Tensor => tf.where(tf.isNaN(x), tf.zerosLike(x), x);

const index = (find: (x: tf.Tensor, axis: number) => tf.Tensor): [string, Run] => [
  "x axis keepdims",
  (v) => {
    const x = v.tensor("x");
    if (v.get("axis") === undefined) return find(tf.reshape(x, [-1]), 0);
    const axis = v.axis("axis", x.rank, -1);
    const found = find(x, axis);
    return v.flag("keepdims") ? tf.expandDims(found, axis) : found;
  },
];

/** The input and axes of a softmax, and the input minus its maximum, so that `exp` cannot overflow. */
function softmax(v: Values): { x: tf.Tensor; axes: number[]; shifted: tf.Tensor } {
  const x = v.tensor("x");
  const axes = v.get("axis") === undefined ? [x.rank - 1] : v.axes("axis", x.rank);
  return { x, axes, shifted: tf.sub(x, tf.max(x, axes, true)) };
}

/** Reductions over one or more axes. */
export const reductions: Operations = {
  mean: over((x, axes, keep) => tf.mean(x, axes, keep)),
  sum: over((x, axes, keep) => tf.sum(x, axes, keep)),
  max: over((x, axes, keep) => tf.max(x, axes, keep)),
  amax: over((x, axes, keep) => tf.max(x, axes, keep)),
  min: over((x, axes, keep) => tf.min(x, axes, keep)),
  amin: over((x, axes, keep) => tf.min(x, axes, keep)),
  prod: over((x, axes, keep) => tf.prod(x, axes, keep)),
  all: over((x, axes, keep) => tf.all(tf.cast(x, "bool"), axes, keep)),
  any: over((x, axes, keep) => tf.any(tf.cast(x, "bool"), axes, keep)),
  logsumexp: over((x, axes, keep) => tf.logSumExp(x, axes, keep)),
  var: over(variance),
  std: over((x, axes, keep) => tf.sqrt(variance(x, axes, keep))),
  ptp: over((x, axes, keep) => tf.sub(tf.max(x, axes, keep), tf.min(x, axes, keep))),
  nansum: over((x, axes, keep) => tf.sum(withoutNaN(x), axes, keep)),
  nanmean: over((x, axes, keep) =>
    tf.div(tf.sum(withoutNaN(x), axes, keep), tf.sum(tf.sub(1, tf.cast(tf.isNaN(x), "float32")), axes, keep)),
  ),
  average: [
    "x axis weights",
    (v) => {
      const x = v.tensor("x");
      const axes = v.axes("axis", x.rank);
      if (v.get("weights") === undefined) return tf.mean(x, axes);
      const weights = v.tensor("weights");
      // A list of weights is for the one axis.
      const sides = x.shape.map((size, axis) => (axes.includes(axis) ? size : 1));
      const shaped = weights.rank === x.rank ? weights : tf.reshape(weights, sides);
      return tf.div(tf.sum(tf.mul(x, shaped), axes), tf.sum(tf.broadcastTo(shaped, x.shape), axes));
    },
  ],
  moments: [
    "x axes keepdims synchronized",
    (v) => {
      const x = v.tensor("x");
      const [axes, keep] = [v.axes("axes", x.rank), v.flag("keepdims")];
      return [tf.mean(x, axes, keep), variance(x, axes, keep)];
    },
  ],
  countnonzero: over((x, axes, keep) => tf.sum(tf.cast(tf.notEqual(x, 0), "int32"), axes, keep)),
  argmax: index((x, axis) => tf.argMax(x, axis)),
  argmin: index((x, axis) => tf.argMin(x, axis)),
  cumsum: ["x axis exclusive reverse", (v) => cumulative(v, tf.cumsum)],
  cumprod: ["x axis exclusive reverse", (v) => cumulative(v, tf.cumprod)],
  softmax: [
    "x axis",
    (v) => {
      const { axes, shifted } = softmax(v);
      const powers = tf.exp(shifted);
      return tf.div(powers, tf.sum(powers, axes, true));
    },
  ],
  logsoftmax: [
    "x axis",
    (v) => {
      const { axes, shifted } = softmax(v);
      return tf.sub(shifted, tf.log(tf.sum(tf.exp(shifted), axes, true)));
    },
  ],
  // Keras' version: divides by the norm, but at least by epsilon.
  normalize: [
    "x axis order epsilon",
    (v) => {
      const x = v.tensor("x");
      const axes = v.get("axis") === undefined ? [x.rank - 1] : v.axes("axis", x.rank);
      const [order, epsilon] = [v.number("order", 2), v.number("epsilon", 1e-7)];
      if (order === 2) return tf.mul(x, tf.rsqrt(tf.maximum(tf.sum(tf.square(x), axes, true), epsilon * epsilon)));
      const norm = tf.pow(tf.sum(tf.pow(tf.abs(x), order), axes, true), 1 / order);
      return tf.div(x, tf.maximum(norm, epsilon));
    },
  ],
  // TensorFlow's version: epsilon is a lower bound on the sum of squares.
  l2normalize: [
    "x axis epsilon",
    (v) => {
      const x = v.tensor("x");
      const axes = v.axes("axis", x.rank);
      return tf.mul(x, tf.rsqrt(tf.maximum(tf.sum(tf.square(x), axes, true), v.number("epsilon", 1e-12))));
    },
  ],
  norm: [
    "x ord axis keepdims",
    (v) => {
      const x = v.tensor("x");
      const [order, keep] = [v.get("ord") ?? 2, v.flag("keepdims")];
      const axes = v.axes("axis", x.rank);
      const isSquares = order === 2 || order === "fro" || order === "euclidean";
      // Over two axes, the numbers mean matrix norms.
      if (axes.length !== 1 && (v.get("ord") ?? "fro") !== "fro")
        throw new OptionError(`expected a norm along one axis, got the order ${String(order)} along ${axes.length}`);
      if (order === 1) return tf.sum(tf.abs(x), axes, keep);
      if (order === Infinity) return tf.max(tf.abs(x), axes, keep);
      if (order === -Infinity) return tf.min(tf.abs(x), axes, keep);
      if (isSquares) return tf.sqrt(tf.sum(tf.square(x), axes, keep));
      if (typeof order !== "number" || order === 0)
        throw new OptionError(`expected a number as its ord, got ${String(order)}`);
      return tf.pow(tf.sum(tf.pow(tf.abs(x), order), axes, keep), 1 / order);
    },
  ],
};

function cumulative(v: Values, run: typeof tf.cumsum): tf.Tensor {
  const x = v.get("axis") === undefined ? tf.reshape(v.tensor("x"), [-1]) : v.tensor("x");
  return run(x, v.axis("axis", x.rank, 0), v.flag("exclusive"), v.flag("reverse"));
}
