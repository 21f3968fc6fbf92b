import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type { Operations } from "./operation.ts";
import { along } from "./along.ts";
import { channelsLast } from "./values.ts";
import type { Values } from "./values.ts";

/** Moves an axis to the end for `run`, and back. */
function onLast(x: tf.Tensor, axis: number, run: (x: tf.Tensor) => tf.Tensor): tf.Tensor {
  const order = [...x.shape.keys()].filter((other) => other !== axis);
  const back = [...x.shape.keys()].map((place) => (place === axis ? x.rank - 1 : place > axis ? place - 1 : place));
  return tf.transpose(run(tf.transpose(x, [...order, axis])), back);
}

/** The two axes of a matrix at the end of all axes. */
function matrices(v: Values): tf.Tensor {
  const x = v.tensor("x");
  const [a, b] = [v.axis("axis1", x.rank, 0), v.axis("axis2", x.rank, 1)];
  return tf.transpose(x, [...[...x.shape.keys()].filter((axis) => axis !== a && axis !== b), a, b]);
}

/** The diagonals of matrices: `[…, rows, columns] -> […, length]`. */
function diagonals(v: Values): tf.Tensor {
  const x = matrices(v);
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const offset = v.number("offset", 0);
  const [top, left] = [Math.max(0, -offset), Math.max(0, offset)];
  const length = Math.max(0, Math.min(rows - top, columns - left));
  const square = along(along(x, x.rank - 2, top, length), x.rank - 1, left, length);
  return tf.sum(tf.mul(square, tf.eye(length)), -1);
}

/** The part of matrices that is on one side of a diagonal. */
function triangle(v: Values, isLower: boolean): tf.Tensor {
  const x = v.tensor("x");
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const distance = tf.sub(tf.reshape(tf.range(0, columns), [1, columns]), tf.reshape(tf.range(0, rows), [rows, 1]));
  const kept = isLower ? tf.lessEqual(distance, v.number("k", 0)) : tf.greaterEqual(distance, v.number("k", 0));
  return tf.mul(x, tf.cast(kept, "float32"));
}

/** Matrices without what is further from the diagonal than these numbers of places; a number below zero is no limit. */
function band(v: Values): tf.Tensor {
  const x = v.tensor("x");
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const [lower, upper] = [v.number("num_lower", -1), v.number("num_upper", -1)];
  const above = tf.sub(tf.reshape(tf.range(0, columns), [1, columns]), tf.reshape(tf.range(0, rows), [rows, 1]));
  const isWithin = tf.logicalAnd(
    tf.lessEqual(above, upper < 0 ? columns : upper),
    tf.greaterEqual(above, lower < 0 ? -rows : -lower),
  );
  return tf.mul(x, tf.cast(isWithin, "float32"));
}

/** Classes as rows of zeros and ones, or as counts over the last axis, as Keras' CategoryEncoding writes them. */
function encoded(x: tf.Tensor, depth: number, mode: string): tf.Tensor {
  const whole = tf.cast(x, "int32");
  if (mode === "int") return whole;
  const hot = tf.cast(tf.oneHot(whole as tf.Tensor1D, depth), "float32");
  if (mode === "one_hot") return x.shape.at(-1) === 1 && x.rank > 1 ? tf.squeeze(hot, [x.rank - 1]) : hot;
  if (x.rank === 1) return hot;
  if (mode === "multi_hot") return tf.max(hot, x.rank - 1);
  if (mode === "count") return tf.sum(hot, x.rank - 1);
  throw new OptionError(`expected the output mode int, one_hot, multi_hot or count, got ${mode}`);
}

function padOrCrop(v: Values, isPad: boolean): tf.Tensor {
  channelsLast(v);
  const x = v.tensor("images") as tf.Tensor4D;
  const sides = (first: string, last: string, target: string, size: number): [number, number] => {
    const [before, after, wanted] = [first, last, target].map((name) => v.get(name) as number | undefined);
    const change = wanted === undefined ? undefined : Math.abs(wanted - size);
    const start = before ?? change! - after!;
    return [start, after ?? change! - start];
  };
  const name = (side: string): string => `${side}_${isPad ? "padding" : "cropping"}`;
  const rows = sides(name("top"), name("bottom"), "target_height", x.shape[1]);
  const columns = sides(name("left"), name("right"), "target_width", x.shape[2]);
  if (isPad) return tf.pad(x, [[0, 0], rows, columns, [0, 0]]);
  const [height, width] = [x.shape[1] - rows[0] - rows[1], x.shape[2] - columns[0] - columns[1]];
  return tf.slice(x, [0, rows[0], columns[0], 0], [-1, height, width, -1]);
}

function patches(v: Values): tf.Tensor {
  channelsLast(v);
  const x = v.tensor("images") as tf.Tensor4D;
  const size = v.numbers("size")!;
  // TensorFlow gives numbers for the batch and the channels, too.
  const inner = (list: number[]): number[] => (list.length === 4 ? list.slice(1, 3) : list);
  const [height, width = height] = inner(size) as [number, number | undefined];
  const strides = inner(v.numbers("strides") ?? [height, width]);
  const rate = inner(v.numbers("dilation_rate") ?? [1]);
  const channels = x.shape[3];
  const all = height * width * channels;
  const kernel = tf.reshape(tf.eye(all), [height, width, channels, all]) as tf.Tensor4D;
  const step: [number, number] = [strides[0]!, strides[1] ?? strides[0]!];
  const padding = v.word("padding", "valid").toLowerCase() as "same";
  return tf.conv2d(x, kernel, step, padding, "NHWC", [rate[0]!, rate[1] ?? rate[0]!]);
}

const isDescending = (v: Values): boolean => v.word("direction", "ASCENDING").toUpperCase() === "DESCENDING";

/** Functions that sort, choose or mark elements. */
export const selection: Operations = {
  sort: [
    "x axis direction",
    (v) => {
      const x = v.tensor("x");
      const turned = isDescending(v) ? (y: tf.Tensor): tf.Tensor => y : tf.neg<tf.Tensor>;
      return onLast(x, v.axis("axis", x.rank, -1), (last) => turned(tf.topk(turned(last), last.shape.at(-1)).values));
    },
  ],
  argsort: [
    "x axis direction",
    (v) => {
      const x = v.tensor("x");
      const turned = isDescending(v) ? (y: tf.Tensor): tf.Tensor => y : tf.neg<tf.Tensor>;
      return onLast(x, v.axis("axis", x.rank, -1), (last) => tf.topk(turned(last), last.shape.at(-1)).indices);
    },
  ],
  median: [
    "x axis keepdims",
    (v) => {
      const x = v.tensor("x");
      const axes = v.axes("axis", x.rank);
      const rest = [...x.shape.keys()].filter((axis) => !axes.includes(axis));
      const rows = tf.reshape(tf.transpose(x, [...rest, ...axes]), [...rest.map((axis) => x.shape[axis]!), -1]);
      const size = rows.shape.at(-1)!;
      const { values } = tf.topk(rows, Math.floor(size / 2) + 1);
      const last = values.shape.at(-1)!;
      const middle = along(values, values.rank - 1, last - (size % 2 === 0 ? 2 : 1), size % 2 === 0 ? 2 : 1);
      const sides = x.shape.flatMap((length, axis) =>
        axes.includes(axis) ? (v.flag("keepdims") ? [1] : []) : [length],
      );
      return tf.reshape(tf.mean(middle, -1), sides);
    },
  ],
  topk: [
    "x k sorted smallest",
    (v) => {
      const turned = v.flag("smallest") ? tf.neg<tf.Tensor> : (y: tf.Tensor): tf.Tensor => y;
      const { values, indices } = tf.topk(turned(v.tensor("x")), v.number("k", 1), v.flag("sorted", true));
      return [turned(values), indices];
    },
  ],
  // One for the first of the largest elements along an axis, and zeros.
  hardmax: [
    "x axis",
    (v) => {
      const x = v.tensor("x");
      return onLast(x, v.axis("axis", x.rank, -1), (last) =>
        tf.cast(tf.oneHot(tf.argMax(last, -1), last.shape.at(-1)!), "float32"),
      );
    },
  ],
  sliceupdate: [
    "inputs start_indices updates",
    (v) => {
      const [x, updates, starts] = [v.tensor("inputs"), v.tensor("updates"), v.numbers("start_indices")!];
      const pads = x.shape.map((size, axis): [number, number] => [
        starts[axis]!,
        size - starts[axis]! - updates.shape[axis]!,
      ]);
      const isNew = tf.cast(tf.pad(tf.onesLike(updates), pads), "bool");
      return tf.where(isNew, tf.pad(updates, pads), x);
    },
  ],
  takealongaxis: [
    "x indices axis",
    (v) => {
      const [x, indices] = [v.tensor("x"), tf.cast(v.tensor("indices", "int32"), "int32")];
      const axis = v.axis("axis", x.rank, -1);
      const order = [...[...x.shape.keys()].filter((other) => other !== axis), axis];
      const rows = (tensor: tf.Tensor): tf.Tensor => {
        const last = tf.transpose(tensor, order);
        return tf.reshape(last, [-1, last.shape.at(-1)!]);
      };
      const [values, places] = [rows(x), rows(indices)];
      const count = values.shape[1]!;
      const hot = tf.cast(tf.oneHot(places as tf.Tensor2D, count), "float32");
      const taken = tf.sum(tf.mul(hot, tf.expandDims(values, 1)), -1);
      return onLast(indices, axis, (last) => tf.reshape(taken, last.shape));
    },
  ],
  diff: [
    "x n axis",
    (v) => {
      let x = v.tensor("x");
      const axis = v.axis("axis", x.rank, -1);
      for (let times = v.number("n", 1); times > 0; times--) {
        const size = x.shape[axis]! - 1;
        x = tf.sub(along(x, axis, 1, size), along(x, axis, 0, size));
      }
      return x;
    },
  ],
  tril: ["x k", (v) => triangle(v, true)],
  triu: ["x k", (v) => triangle(v, false)],
  bandpart: ["x num_lower num_upper", band],
  diagonal: ["x offset axis1 axis2", diagonals],
  trace: ["x offset axis1 axis2", (v) => tf.sum(diagonals(v), -1)],
  rot90: [
    "x k axes",
    (v) => {
      let x = v.tensor("x");
      const [a, b] = v.axes("axes", x.rank) as [number, number];
      const order = x.shape.map((_, axis) => (axis === a ? b : axis === b ? a : axis));
      for (let turns = ((v.number("k", 1) % 4) + 4) % 4; turns > 0; turns--) x = tf.reverse(tf.transpose(x, order), a);
      return x;
    },
  ],
  hstack: [
    "xs",
    (v) => {
      const tensors = v.tensors("xs");
      return tf.concat(tensors, tensors[0]!.rank === 1 ? 0 : 1);
    },
  ],
  vstack: ["xs", (v) => tf.concat(v.tensors("xs"), 0)],
  arraysplit: [
    "x indices_or_sections axis",
    (v) => {
      const x = v.tensor("x");
      const [axis, parts] = [v.axis("axis", x.rank, 0), v.number("indices_or_sections", 1)];
      const size = x.shape[axis]!;
      const sizes = Array.from({ length: parts }, (_, i) => Math.floor(size / parts) + (i < size % parts ? 1 : 0));
      return tf.split(x, sizes, axis);
    },
  ],
  multihot: [
    "x num_classes axis sparse",
    (v) => encoded(v.tensor("x", "int32"), v.number("num_classes", 1), "multi_hot"),
  ],
  categoryencoding: [
    "x num_tokens output_mode",
    (v) => encoded(v.tensor("x"), v.number("num_tokens", 1), v.word("output_mode", "multi_hot")),
  ],
  discretization: [
    "x bin_boundaries output_mode",
    (v) => {
      const x = v.tensor("x");
      const bounds = v.numbers("bin_boundaries") ?? [];
      const bins = bounds.reduce(
        (sum: tf.Tensor, bound) => tf.add(sum, tf.cast(tf.greaterEqual(x, bound), "int32")),
        tf.zeros(x.shape, "int32"),
      );
      return encoded(bins, bounds.length + 1, v.word("output_mode", "int"));
    },
  ],
  digitize: [
    "x bins",
    (v) => {
      const x = v.tensor("x");
      const bounds = v.numbers("bins") ?? [];
      return bounds.reduce(
        (sum: tf.Tensor, bound) => tf.add(sum, tf.cast(tf.greaterEqual(x, bound), "int32")),
        tf.zeros(x.shape, "int32"),
      );
    },
  ],
  padimages: [
    "images top_padding left_padding bottom_padding right_padding target_height target_width data_format",
    (v) => padOrCrop(v, true),
  ],
  cropimages: [
    "images top_cropping left_cropping bottom_cropping right_cropping target_height target_width data_format",
    (v) => padOrCrop(v, false),
  ],
  extractpatches: ["images size strides dilation_rate padding data_format", patches],
  // Keras' AutoContrast, which it applies in prediction, too.
  autocontrast: [
    "x value_range",
    (v) => {
      const x = v.tensor("x");
      const [first, last] = v.numbers("value_range") as [number, number];
      const pixels = tf.mul(tf.sub(x, first), 255 / (last - first));
      const [low, high] = [tf.min(pixels, [1, 2], true), tf.max(pixels, [1, 2], true)];
      const scale = tf.div(255, tf.sub(high, low));
      const stretched = tf.clipByValue(tf.add(tf.mul(pixels, scale), tf.mul(tf.neg(low), scale)), 0, 255);
      const back = tf.add(tf.mul(stretched, (last - first) / 255), first);
      return tf.where(tf.isNaN(back), x, back);
    },
  ],
};
