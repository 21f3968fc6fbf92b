import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { einsum } from "./einsum.ts";
import type { Operations } from "./operation.ts";
import { channelsLast, fromFront } from "./values.ts";
import type { Values } from "./values.ts";

/** One number for each of the axes between batch and channels. TensorFlow may give numbers for those two as well. */
function sizesOf(v: Values, name: string, rank: number, otherwise: number): number[] {
  const given = v.numbers(name) ?? [otherwise];
  const list = given.length === rank ? given.slice(1, -1) : given;
  return Array.from({ length: rank - 2 }, (_, i) => list[i] ?? list[0]!);
}

const paddingOf = (v: Values): "same" | "valid" =>
  Array.isArray(v.get("padding")) ? "valid" : (v.word("padding", "valid").toLowerCase() as "same" | "valid");

/** The input, with the zeros around it that a padding by numbers asks for: a pair for every axis. */
function paddedInputs(v: Values): tf.Tensor {
  const [x, padding] = [v.tensor("inputs"), v.get("padding")];
  return Array.isArray(padding) ? tf.pad(x, padding as [number, number][]) : x;
}

/** A convolution of a sequence as one of a map of one column: `[n, length, c] -> [n, length', filters]`. */
function asMap(x: tf.Tensor, run: (map: tf.Tensor4D) => tf.Tensor): tf.Tensor {
  return x.rank === 3 ? tf.squeeze(run(tf.expandDims(x, 2) as tf.Tensor4D), [2]) : run(x as tf.Tensor4D);
}

const flat = (kernel: tf.Tensor): tf.Tensor4D => (kernel.rank === 3 ? tf.expandDims(kernel, 1) : kernel) as tf.Tensor4D;

function convolved(v: Values): tf.Tensor {
  channelsLast(v);
  const [x, kernel] = [paddedInputs(v), v.tensor("kernel")];
  const [strides, rates] = [sizesOf(v, "strides", x.rank, 1), sizesOf(v, "dilation_rate", x.rank, 1)];
  if (x.rank === 5) {
    if (rates.some((rate) => rate !== 1)) throw new OptionError("expected no dilation of a convolution of volumes");
    return tf.conv3d(x as tf.Tensor5D, kernel as tf.Tensor5D, strides as [number, number, number], paddingOf(v));
  }
  const [down, right = 1] = strides as [number, number | undefined];
  const [tall, wide = 1] = rates as [number, number | undefined];
  const groups = x.shape.at(-1)! / kernel.shape.at(-2)!;
  return asMap(x, (map) => {
    const kernels = tf.split(flat(kernel), groups, 3);
    const parts = tf
      .split(map, groups, 3)
      .map((part, group) =>
        tf.conv2d(part as tf.Tensor4D, kernels[group]! as tf.Tensor4D, [down, right], paddingOf(v), "NHWC", [
          tall,
          wide,
        ]),
      );
    return tf.concat(parts, 3);
  });
}

function depthwise(v: Values, kernel: string): tf.Tensor {
  channelsLast(v);
  const x = paddedInputs(v);
  const [down, right = 1] = sizesOf(v, "strides", x.rank, 1) as [number, number | undefined];
  const [tall, wide = 1] = sizesOf(v, "dilation_rate", x.rank, 1) as [number, number | undefined];
  return asMap(x, (map) =>
    tf.depthwiseConv2d(map, flat(v.tensor(kernel)), [down, right], paddingOf(v), "NHWC", [tall, wide]),
  );
}

/** `x1` summed over its last axes with the first axes of `x2`, or over the axes that `axes` pairs. */
function tensorProduct(a: tf.Tensor, b: tf.Tensor, axesA: readonly number[], axesB: readonly number[]): tf.Tensor {
  const letters = "abcdefghijklmnopqrst";
  const labelsA = letters.slice(0, a.rank).split("");
  const labelsB = letters.slice(a.rank, a.rank + b.rank).split("");
  for (const [i, axis] of axesB.entries()) labelsB[axis] = labelsA[axesA[i]!]!;
  const out = [...labelsA.filter((_, i) => !axesA.includes(i)), ...labelsB.filter((_, i) => !axesB.includes(i))];
  return einsum(`${labelsA.join("")},${labelsB.join("")}->${out.join("")}`, [a, b]);
}

const perChannel = (v: Values, name: string, sides: number[], otherwise: number): tf.Tensor =>
  v.get(name) === undefined ? tf.scalar(otherwise) : tf.reshape(v.tensor(name), sides);

/** Convolutions, products and norms whose kernels and statistics are constants or tensors of the network. */
export const linear: Operations = {
  conv: ["inputs kernel strides padding data_format dilation_rate", convolved],
  depthwiseconv: ["inputs kernel strides padding data_format dilation_rate", (v) => depthwise(v, "kernel")],
  separableconv: [
    "inputs depthwise_kernel pointwise_kernel strides padding data_format dilation_rate",
    (v) => {
      const map = depthwise(v, "depthwise_kernel");
      const kernel = flat(v.tensor("pointwise_kernel"));
      return asMap(map, (y) => tf.conv2d(y, kernel, 1, "valid"));
    },
  ],
  // TensorFlow's transposed convolution, which states the size of its output.
  sizedtransposedconv: [
    "inputs kernel output_shape strides padding",
    (v) => {
      const [x, kernel] = [v.tensor("inputs") as tf.Tensor4D, v.tensor("kernel") as tf.Tensor4D];
      const [, height, width, channels] = v.get("output_shape") as [unknown, number, number, number];
      const [down, right = down] = sizesOf(v, "strides", 4, 1) as [number, number];
      return tf.conv2dTranspose(
        x,
        kernel,
        [x.shape[0], height, width, channels],
        [down, right],
        v.word("padding", "same").toLowerCase() as "same",
      );
    },
  ],
  dot: [
    "x1 x2",
    (v) => {
      const [a, b] = [v.tensor("x1"), v.tensor("x2")];
      if (a.rank === 0 || b.rank === 0) return tf.mul(a, b);
      return tensorProduct(a, b, [a.rank - 1], [Math.max(0, b.rank - 2)]);
    },
  ],
  inner: [
    "x1 x2",
    (v) => {
      const [a, b] = [v.tensor("x1"), v.tensor("x2")];
      return a.rank === 0 || b.rank === 0 ? tf.mul(a, b) : tensorProduct(a, b, [a.rank - 1], [b.rank - 1]);
    },
  ],
  outer: ["x1 x2", (v) => tf.mul(tf.reshape(v.tensor("x1"), [-1, 1]), tf.reshape(v.tensor("x2"), [1, -1]))],
  cross: [
    "x1 x2 axisa axisb axisc",
    (v) => {
      if (["axisa", "axisb", "axisc"].some((name) => v.number(name, -1) !== -1))
        throw new OptionError("expected vectors along the last axis");
      const [a, b] = [v.tensor("x1"), v.tensor("x2")].map((x) => tf.split(x, 3, x.rank - 1)) as [
        tf.Tensor[],
        tf.Tensor[],
      ];
      const part = (i: number, j: number): tf.Tensor => tf.sub(tf.mul(a[i]!, b[j]!), tf.mul(a[j]!, b[i]!));
      return tf.concat([part(1, 2), part(2, 0), part(0, 1)], a[0]!.rank - 1);
    },
  ],
  tensordot: [
    "x1 x2 axes",
    (v) => {
      const [a, b, axes] = [v.tensor("x1"), v.tensor("x2"), v.get("axes") ?? 2];
      if (typeof axes === "number") {
        const first = Array.from({ length: axes }, (_, i) => i);
        return tensorProduct(
          a,
          b,
          first.map((i) => a.rank - axes + i),
          first,
        );
      }
      const [ofA, ofB] = (axes as (number | number[])[]).map((side) => [side].flat()) as [number[], number[]];
      return tensorProduct(
        a,
        b,
        ofA.map((axis) => fromFront(axis, a.rank)),
        ofB.map((axis) => fromFront(axis, b.rank)),
      );
    },
  ],
  batchnorm: [
    "x mean variance offset scale axis epsilon",
    (v) => {
      const x = v.tensor("x");
      const axis = v.axis("axis", x.rank, -1);
      const sides = x.shape.map((size, i) => (i === axis ? size : 1));
      const deviation = tf.sqrt(tf.add(perChannel(v, "variance", sides, 1), v.number("epsilon", 1e-3)));
      const unit = tf.div(tf.sub(x, perChannel(v, "mean", sides, 0)), deviation);
      return tf.add(tf.mul(unit, perChannel(v, "scale", sides, 1)), perChannel(v, "offset", sides, 0));
    },
  ],
  layernorm: [
    "x gamma beta axis epsilon rms_scaling",
    (v) => {
      const x = v.tensor("x");
      if (v.flag("rms_scaling")) throw new OptionError("expected a layer norm without rms_scaling");
      const axes = v.get("axis") === undefined ? [x.rank - 1] : v.axes("axis", x.rank);
      const sides = x.shape.map((size, i) => (axes.includes(i) ? size : 1));
      const { mean, variance } = tf.moments(x, axes, true);
      const unit = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, v.number("epsilon", 1e-7))));
      return tf.add(tf.mul(unit, perChannel(v, "gamma", sides, 1)), perChannel(v, "beta", sides, 0));
    },
  ],
  rmsnorm: [
    "x scale axis epsilon",
    (v) => {
      const x = v.tensor("x");
      const axes = v.get("axis") === undefined ? [x.rank - 1] : v.axes("axis", x.rank);
      const sides = x.shape.map((size, i) => (axes.includes(i) ? size : 1));
      const divisor = tf.rsqrt(tf.add(tf.mean(tf.square(x), axes, true), v.number("epsilon", 1e-7)));
      return tf.mul(tf.mul(x, divisor), perChannel(v, "scale", sides, 1));
    },
  ],
  // Keras' Normalization with statistics given as options.
  normalization: [
    "x mean variance axis invert",
    (v) => {
      const x = v.tensor("x");
      const axes = v.axes("axis", x.rank).toSorted((a, b) => a - b);
      const sides = x.shape.map((size, i) => (axes.includes(i) ? size : 1));
      const kept = axes.map((axis) => x.shape[axis]!);
      const spread = (name: string): tf.Tensor => {
        const own = v.tensor(name);
        // Keras' own order: the statistics broadcast to the kept axes.
        return tf.reshape(tf.mul(own.size === 1 ? tf.reshape(own, []) : tf.reshape(own, kept), tf.ones(kept)), sides);
      };
      const deviation = tf.maximum(tf.sqrt(spread("variance")), 1e-7);
      return v.flag("invert")
        ? tf.add(spread("mean"), tf.mul(x, deviation))
        : tf.div(tf.sub(x, spread("mean")), deviation);
    },
  ],
  dotproductattention: [
    "query key value bias mask scale is_causal flash_attention attn_logits_soft_cap",
    (v) => {
      const unknown = ["bias", "mask", "attn_logits_soft_cap"].find((name) => v.get(name) !== undefined);
      if (unknown !== undefined || v.flag("is_causal"))
        throw new OptionError(`expected an attention without ${unknown ?? "a causal mask"}`);
      const [q, k, value] = ["query", "key", "value"].map((name) => tf.transpose(v.tensor(name), [0, 2, 1, 3])) as [
        tf.Tensor,
        tf.Tensor,
        tf.Tensor,
      ];
      const scores = tf.mul(tf.matMul(q, k, false, true), v.number("scale", 1 / Math.sqrt(q.shape[3]!)));
      return tf.transpose(tf.matMul(tf.softmax(scores), value), [0, 2, 1, 3]);
    },
  ],
};
