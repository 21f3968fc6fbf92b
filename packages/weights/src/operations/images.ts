import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type { Operations } from "./operation.ts";
import { channelsLast } from "./values.ts";
import type { Values } from "./values.ts";

type Pair = [number, number];

const pair = (value: unknown): Pair => {
  const list = [value].flat() as number[];
  return [list[0]!, list[1] ?? list[0]!];
};

/** Pooling and resizing of feature maps, `[n, h, w, c]`. */
export const images: Operations = {
  averagepool: ["inputs pool_size strides padding data_format", (v) => pooled(v, "avg")],
  maxpool: ["inputs pool_size strides padding data_format", (v) => pooled(v, "max")],
  // TensorFlow's own pool, whose window may be given for all four axes.
  pool2d: [
    "inputs pool_size strides padding data_format kind",
    (v) => pooled(v, v.word("kind", "max").toLowerCase() as "max"),
  ],
  resize: [
    "images size interpolation antialias crop_to_aspect_ratio pad_to_aspect_ratio fill_mode fill_value data_format",
    (v) => resizedTo(v),
  ],
  // The central part of an image; `central_fraction` is its share of each side.
  centralcrop: [
    "image central_fraction",
    (v) => {
      const x = v.tensor("image") as tf.Tensor4D;
      const [, height, width, channels] = x.shape;
      const share = v.number("central_fraction", 1);
      const [top, left] = [height, width].map((size) => Math.trunc((size - size * share) / 2)) as Pair;
      return tf.slice(x, [0, top, left, 0], [-1, height - 2 * top, width - 2 * left, channels]);
    },
  ],
  // Crops or pads each side around the middle.
  croporpad: [
    "image target_height target_width",
    (v) => {
      const x = v.tensor("image") as tf.Tensor4D;
      const sizes: Pair = [v.number("target_height", 0), v.number("target_width", 0)];
      const part = sizes.map((size, i) => Math.min(size, x.shape[i + 1]!)) as Pair;
      const starts = part.map((size, i) => Math.floor((x.shape[i + 1]! - size) / 2)) as Pair;
      const cropped = tf.slice(x, [0, ...starts, 0], [-1, ...part, -1]);
      const pads = sizes.map((size, i): Pair => {
        const before = Math.floor((size - part[i]!) / 2);
        return [before, size - part[i]! - before];
      });
      return tf.pad(cropped, [[0, 0], ...pads, [0, 0]]);
    },
  ],
  // Keeps the proportions, and fills the rest with zeros.
  resizewithpad: [
    "image target_height target_width interpolation antialias",
    (v) => {
      const x = v.tensor("image") as tf.Tensor4D;
      const target: Pair = [v.number("target_height", 0), v.number("target_width", 0)];
      // TensorFlow divides in float32.
      const ratio = Math.fround(Math.max(x.shape[1] / target[0], x.shape[2] / target[1]));
      const exact = [x.shape[1], x.shape[2]].map((length) => Math.fround(length / ratio));
      const size = exact.map(Math.floor) as Pair;
      const y = resample(x, size, v.word("interpolation", "bilinear"), v.flag("antialias"));
      const pads = target.map((length, i): Pair => {
        const before = Math.max(0, Math.floor((length - exact[i]!) / 2));
        return [before, length - size[i]! - before];
      });
      return tf.pad(y, [[0, 0], ...pads, [0, 0]]);
    },
  ],
  rgbtograyscale: [
    "images data_format",
    (v) => tf.sum(tf.mul(v.tensor("images"), tf.tensor1d([0.2989, 0.587, 0.114])), -1, true),
  ],
};

function pooled(v: Values, kind: "avg" | "max"): tf.Tensor {
  channelsLast(v);
  const x = v.tensor("inputs");
  const inner = (value: unknown): unknown =>
    Array.isArray(value) && value.length === x.rank ? value.slice(1, -1) : value;
  const size = pair(inner(v.get("pool_size")));
  const strides = v.get("strides") === undefined ? size : pair(inner(v.get("strides")));
  const padding = v.word("padding", "valid").toLowerCase() as "same" | "valid";
  const run = kind === "avg" ? tf.avgPool : tf.maxPool;
  if (x.rank === 5) {
    const three = (value: unknown): [number, number, number] => {
      const list = [inner(value)].flat() as number[];
      return [list[0]!, list[1] ?? list[0]!, list[2] ?? list[0]!];
    };
    const volumes = kind === "avg" ? tf.avgPool3d : tf.maxPool3d;
    const window = three(v.get("pool_size"));
    return volumes(x as tf.Tensor5D, window, three(v.get("strides") ?? window), padding);
  }
  if (x.rank === 4) return run(x as tf.Tensor4D, size, strides, padding);
  if (x.rank !== 3) throw new OptionError(`expected a map or a sequence to pool, got ${x.rank} axes`);
  return tf.squeeze(run(tf.expandDims(x, 2) as tf.Tensor4D, [size[0], 1], [strides[0], 1], padding), [2]);
}

function resizedTo(v: Values): tf.Tensor {
  channelsLast(v);
  let x = v.tensor("images") as tf.Tensor4D;
  const [height, width] = pair(v.get("size"));
  const interpolation = v.word("interpolation", "bilinear");
  const [rows, columns] = [x.shape[1], x.shape[2]];
  if (v.flag("crop_to_aspect_ratio")) x = middle(x, [height, width]);
  else if (v.flag("pad_to_aspect_ratio")) {
    if (v.word("fill_mode", "constant") !== "constant") throw new OptionError("expected to fill with a constant");
    // As in Keras: half of the missing pixels, rounded down, on both sides.
    const padHeight = Math.max(rows, Math.floor((columns * height) / width));
    const padWidth = Math.max(columns, Math.floor((rows * width) / height));
    const [top, left] = [Math.floor((padHeight - rows) / 2), Math.floor((padWidth - columns) / 2)];
    x = tf.pad(
      x,
      [
        [0, 0],
        [top, top],
        [left, left],
        [0, 0],
      ],
      v.number("fill_value", 0),
    );
  }
  return resample(x, [height, width], interpolation, v.flag("antialias"));
}

/** The largest central part with the proportions of `size`, as Keras cuts it. */
function middle(x: tf.Tensor4D, [height, width]: Pair): tf.Tensor4D {
  const [, rows, columns] = x.shape;
  const cropHeight = Math.min(rows, Math.max(1, Math.floor((columns * height) / width)));
  const cropWidth = Math.min(columns, Math.max(1, Math.floor((rows * width) / height)));
  const [top, left] = [Math.floor((rows - cropHeight) / 2), Math.floor((columns - cropWidth) / 2)];
  return tf.slice(x, [0, top, left, 0], [-1, cropHeight, cropWidth, -1]);
}

/** The largest central part with the proportions of `size`, resized to it: Keras' smart_resize. */
export function resizedMiddle(x: tf.Tensor4D, size: Pair): tf.Tensor {
  return tf.image.resizeBilinear(middle(x, size), size, false, true);
}

/**
 * Resizes with half-pixel centres, as TensorFlow 2 does: "nearest", "bilinear", "bicubic", "area", "lanczos3" or
 * "lanczos5". With `antialias`, a smaller picture takes each pixel from all pixels that it covers.
 */
export function resample(
  x: tf.Tensor4D,
  [height, width]: Pair,
  interpolation: string,
  antialias: boolean = false,
): tf.Tensor {
  if (interpolation === "nearest") return tf.image.resizeNearestNeighbor(x, [height, width], false, true);
  if (interpolation === "bilinear" && !antialias) return tf.image.resizeBilinear(x, [height, width], false, true);
  const matrixOf = (from: number, to: number): Float32Array => {
    if (interpolation === "area") return areaMatrix(from, to);
    if (interpolation === "bicubic" && !antialias) return cubicMatrix(from, to);
    if (!Object.hasOwn(filters, interpolation))
      throw new OptionError(`expected nearest, ${Object.keys(filters).join(", ")} or area, got ${interpolation}`);
    return filterMatrix(from, to, filters[interpolation]!, antialias);
  };
  // Resize along each axis by a matrix product.
  const [batch, rows, columns, channels] = x.shape;
  const across = tf.matMul(
    tf.tensor2d(matrixOf(rows, height), [height, rows]),
    tf.reshape(tf.transpose(x, [1, 0, 2, 3]), [rows, batch * columns * channels]),
  );
  const down = tf.transpose(tf.reshape(across, [height, batch, columns, channels]), [2, 1, 0, 3]);
  const both = tf.matMul(
    tf.tensor2d(matrixOf(columns, width), [width, columns]),
    tf.reshape(down, [columns, batch * height * channels]),
  );
  return tf.transpose(tf.reshape(both, [width, batch, height, channels]), [1, 2, 0, 3]);
}

interface Filter {
  readonly radius: number;
  weight(distance: number): number;
}

const lanczos = (radius: number): Filter => ({
  radius,
  weight(distance) {
    const x = Math.PI * Math.abs(distance);
    if (Math.abs(distance) >= radius) return 0;
    return x < 1e-6 ? 1 : (radius * Math.sin(x) * Math.sin(x / radius)) / (x * x);
  },
});

/** TensorFlow's filters. Source: tensorflow/core/kernels/image/sampling_kernels.h. */
const filters: Readonly<Record<string, Filter>> = {
  bilinear: { radius: 1, weight: (distance) => Math.max(0, 1 - Math.abs(distance)) },
  bicubic: { radius: 2, weight: keys },
  lanczos3: lanczos(3),
  lanczos5: lanczos(5),
};

/** Keys' cubic with a = -0.5. */
function keys(distance: number): number {
  const d = Math.abs(distance);
  if (d <= 1) return (1.5 * d - 2.5) * d * d + 1;
  return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
}

/** The weights of the pixels in each new pixel. Source: tensorflow/core/kernels/image/scale_and_translate_op.cc. */
function filterMatrix(from: number, to: number, { radius, weight }: Filter, antialias: boolean): Float32Array {
  const matrix = new Float32Array(from * to);
  const step = from / to;
  const scale = antialias ? Math.max(step, 1) : 1;
  for (let out = 0; out < to; out++) {
    const center = (out + 0.5) * step;
    const first = Math.max(0, Math.ceil(center - radius * scale - 0.5));
    const last = Math.min(from - 1, Math.floor(center + radius * scale - 0.5));
    const weights = Array.from({ length: last - first + 1 }, (_, i) => weight((first + i + 0.5 - center) / scale));
    const sum = weights.reduce((total, part) => total + part, 0);
    for (const [i, part] of weights.entries()) matrix[out * from + first + i] = part / sum;
  }
  return matrix;
}

/** The share of each pixel in the stretch that a new pixel covers. */
function areaMatrix(from: number, to: number): Float32Array {
  const matrix = new Float32Array(from * to);
  const step = from / to;
  for (let out = 0; out < to; out++) {
    const [start, end] = [out * step, (out + 1) * step];
    for (let at = Math.floor(start); at < Math.min(from, Math.ceil(end)); at++)
      matrix[out * from + at] = (Math.min(end, at + 1) - Math.max(start, at)) / step;
  }
  return matrix;
}

/**
 * The weights of the pixels in each new pixel: Keys' cubic with a = -0.5. Taps beyond the edge are left out, and the
 * others are scaled to sum to 1. Source: tensorflow/core/kernels/image/resize_bicubic_op.cc, half pixel centers.
 */
function cubicMatrix(from: number, to: number): Float32Array {
  const matrix = new Float32Array(from * to);
  for (let out = 0; out < to; out++) {
    const exact = ((out + 0.5) * from) / to - 0.5;
    // TensorFlow looks the weights up in a table of 1024 distances.
    const center = Math.floor(exact) + Math.round((exact - Math.floor(exact)) * 1024) / 1024;
    const first = Math.floor(exact) - 1;
    const taps = [0, 1, 2, 3].map((tap) => first + tap).filter((at) => at >= 0 && at < from);
    const weights = taps.map((at) => keys(center - at));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    for (const [i, at] of taps.entries()) matrix[out * from + at] = weights[i]! / sum;
  }
  return matrix;
}
