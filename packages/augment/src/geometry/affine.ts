import * as tf from "@tensorflow/tfjs-core";
import { sampleThrough } from "./sample.ts";
import { hasTensorflow, projectiveTransform } from "./tensorflow-ops.ts";

/** What lies outside an image: its mirror image, itself again, its edge, or `fillValue`. */
export type FillMode = "reflect" | "wrap" | "nearest" | "constant";

export interface AffineOptions {
  fill?: FillMode | undefined;
  fillValue?: number | undefined;
  interpolation?: "bilinear" | "nearest" | undefined;
}

/**
 * Moves pixels by one matrix an image, `[n, h, w, c] x [n, 8] -> [n, h, w, c]`: output pixel (x, y) is input pixel
 * ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k) with k = c0 x + c1 y + 1. TensorFlow's ImageProjectiveTransformV3.
 */
export function affineTransform(
  images: tf.Tensor4D,
  matrices: tf.Tensor2D,
  { fill = "reflect", fillValue = 0, interpolation = "bilinear" }: AffineOptions = {},
): tf.Tensor4D {
  const how = { fill, fillValue, interpolation };
  return tf.tidy(() =>
    hasTensorflow() ? projectiveTransform(images, matrices, how) : sampleThrough(images, matrices, how),
  );
}

/** Turns each image about its centre by `turns` (`[n]`; 1 is all the way round, clockwise as the image is looked at). */
export function rotate(images: tf.Tensor4D, turns: tf.Tensor, options?: AffineOptions): tf.Tensor4D {
  return tf.tidy(() => affineTransform(images, rotationMatrices(images.shape, turns), options));
}

/**
 * Zooms each image about its centre: its height shows `height` times as much as before (`[n]`; below 1 is nearer), its width
 * `width` times.
 */
export function zoom(
  images: tf.Tensor4D,
  height: tf.Tensor,
  width: tf.Tensor = height,
  options?: AffineOptions,
): tf.Tensor4D {
  return tf.tidy(() => {
    const [, h, w] = images.shape;
    const offset = (size: number, factor: tf.Tensor) => tf.mul(tf.sub(1, factor), (size - 1) / 2);
    return affineTransform(images, matrix(width, 0, offset(w, width), 0, height, offset(h, height)), options);
  });
}

/** Shifts each image down by `down` and right by `right` (`[n]`, shares of its height and width). */
export function translate(
  images: tf.Tensor4D,
  down: tf.Tensor,
  right: tf.Tensor,
  options?: AffineOptions,
): tf.Tensor4D {
  return tf.tidy(() => affineTransform(images, translationMatrices(images.shape, down, right), options));
}

export function rotationMatrices([, h, w]: readonly number[], turns: tf.Tensor): tf.Tensor2D {
  const angle = tf.mul(turns, 2 * Math.PI);
  const [cos, sin] = [tf.cos(angle), tf.sin(angle)];
  const [x, y] = [(w! - 1) / 2, (h! - 1) / 2];
  // About the centre (x, y): what the rotation moves it by is taken back.
  const right = tf.sub(x, tf.sub(tf.mul(cos, x), tf.mul(sin, y)));
  const down = tf.sub(y, tf.add(tf.mul(sin, x), tf.mul(cos, y)));
  return matrix(cos, tf.neg(sin), right, sin, cos, down);
}

export function translationMatrices([, h, w]: readonly number[], down: tf.Tensor, right: tf.Tensor): tf.Tensor2D {
  return matrix(1, 0, tf.mul(right, -w!), 0, 1, tf.mul(down, -h!));
}

/** Shears about the upper left corner: a row moves by `x` times its number, a column by `y` times its. */
export function shearMatrices(x: tf.Tensor, y: tf.Tensor): tf.Tensor2D {
  return matrix(1, x, 0, y, 1, 0);
}

type Entry = tf.Tensor | number;

/** `[n, 8]` of the six entries, each a number or `[n]`; at least one must be a tensor. */
function matrix(a0: Entry, a1: Entry, a2: Entry, b0: Entry, b1: Entry, b2: Entry): tf.Tensor2D {
  const entries = [a0, a1, a2, b0, b1, b2, 0, 0];
  const like = entries.find((entry) => typeof entry !== "number") as tf.Tensor;
  const n = like.size;
  const columns = entries.map((entry) =>
    typeof entry === "number" ? tf.mul(tf.ones([n, 1]), entry) : tf.reshape(entry, [n, 1]),
  );
  return tf.concat(columns as tf.Tensor2D[], 1);
}
