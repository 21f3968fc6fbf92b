import * as tf from "@tensorflow/tfjs-core";
import type { FillMode, Sampling } from "./affine-options.ts";

/**
 * TensorFlow's ImageProjectiveTransformV3 from ops of every backend, `[n, h, w, c] x [n, 8] -> [n, h, w, c]`.
 * tf.image.transform cannot be used: its cpu kernel swaps height and width, and its wasm kernel computes "reflect"
 * wrongly.
 */
export function sampleProjective(images: tf.Tensor4D, matrices: tf.Tensor2D, sampling: Sampling): tf.Tensor4D {
  const [row, column] = inputCoordinates(images.shape, matrices, sampling.fill);
  const read = pixelReader(images, sampling);
  if (sampling.interpolation === "nearest") return read(rounded(row), rounded(column));
  const [top, left] = [tf.floor(row), tf.floor(column)];
  const [bottom, right] = [tf.add(top, 1), tf.add(left, 1)];
  const toRight = tf.expandDims(tf.sub(column, left), 3);
  const above = blend(read(top, left), read(top, right), toRight);
  const below = blend(read(bottom, left), read(bottom, right), toRight);
  return blend(above, below, tf.expandDims(tf.sub(row, top), 3));
}

/** The input position of each output pixel, rows and columns as `[n, h, w]` each. */
function inputCoordinates(
  [n, h, w]: readonly [number, number, number, number],
  matrices: tf.Tensor2D,
  fill: FillMode,
): [row: tf.Tensor, column: tf.Tensor] {
  const y = tf.reshape(tf.range(0, h, 1, "float32"), [1, h, 1]);
  const x = tf.reshape(tf.range(0, w, 1, "float32"), [1, 1, w]);
  const entries = tf.split(tf.reshape(matrices, [n, 8, 1]), 8, 1);
  const linear = (a: number) => tf.add(tf.add(tf.mul(entries[a]!, x), tf.mul(entries[a + 1]!, y)), entries[a + 2]!);
  const k = tf.add(tf.add(tf.mul(entries[6]!, x), tf.mul(entries[7]!, y)), 1);
  return [inside(tf.div(linear(3), k), h, fill), inside(tf.div(linear(0), k), w, fill)];
}

/**
 * Reads whole pixels: rows and columns `[n, h, w]` give `[n, h, w, c]`, and `fillValue` outside the image if `fill` is
 * "constant".
 */
export function pixelReader(
  images: tf.Tensor4D,
  { fill, fillValue }: Sampling,
): (rows: tf.Tensor, columns: tf.Tensor) => tf.Tensor4D {
  const [n, h, w, c] = images.shape;
  const pixels = tf.reshape(images, [n * h * w, c]);
  // Indices are int32: float32 is not exact above 2^24, and a large batch has more pixels.
  const starts = tf.mul(tf.reshape(tf.range(0, n, 1, "int32"), [n, 1, 1]), tf.scalar(h * w, "int32"));
  return (rows, columns) => {
    const [y, x] = [tf.clipByValue(rows, 0, h - 1), tf.clipByValue(columns, 0, w - 1)];
    const places = tf.add(
      tf.add(starts, tf.mul(tf.cast(y, "int32"), tf.scalar(w, "int32"))),
      tf.cast(x, "int32"),
    ) as tf.Tensor;
    const found = tf.reshape(tf.gather(pixels, tf.cast(tf.reshape(places, [n * h * w]), "int32")), images.shape);
    if (fill !== "constant") return found as tf.Tensor4D;
    const isInside = tf.expandDims(tf.logicalAnd(tf.equal(y, rows), tf.equal(x, columns)), 3);
    return tf.where(isInside, found, tf.fill(images.shape, fillValue)) as tf.Tensor4D;
  };
}

/**
 * Maps coordinates into an image of `size` pixels like TensorFlow's MapCoordinate; "constant" leaves them unchanged.
 */
function inside(coordinates: tf.Tensor, size: number, fill: FillMode): tf.Tensor {
  if (fill === "constant") return coordinates;
  const last = size - 1;
  if (last === 0) return tf.zerosLike(coordinates);
  let mapped = coordinates;
  if (fill === "reflect") {
    const period = 2 * size;
    const phase = tf.sub(coordinates, tf.mul(tf.floor(tf.div(coordinates, period)), period));
    mapped = tf.where(tf.greaterEqual(phase, size), tf.sub(period - 1, phase), phase);
  }
  if (fill === "wrap") {
    const up = tf.add(coordinates, tf.mul(tf.add(tf.floor(tf.div(tf.neg(coordinates), last)), 1), size));
    const down = tf.sub(coordinates, tf.mul(tf.floor(tf.div(coordinates, last)), size));
    mapped = tf.where(tf.less(coordinates, 0), up, tf.where(tf.greater(coordinates, last), down, coordinates));
  }
  return tf.clipByValue(mapped, 0, last);
}

/** Rounds to integers; halves are rounded away from zero, as in C++. */
function rounded(values: tf.Tensor): tf.Tensor {
  return tf.mul(tf.sign(values), tf.floor(tf.add(tf.abs(values), 0.5)));
}

function blend(first: tf.Tensor4D, second: tf.Tensor4D, share: tf.Tensor): tf.Tensor4D {
  return tf.add(first, tf.mul(tf.sub(second, first), share));
}
