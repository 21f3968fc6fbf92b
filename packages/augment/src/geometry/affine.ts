import * as tf from "@tensorflow/tfjs-core";
import { hasTensorflow, projectiveTransform } from "../tensorflow-ops.ts";
import { samplingOf } from "./affine-options.ts";
import type { AffineOptions } from "./affine-options.ts";
import { sampleProjective } from "./projective-sampling.ts";

/**
 * Moves pixels by one matrix per image, `[n, h, w, c] x [n, 8] -> [n, h, w, c]`. With a row `[a0, a1, a2, b0, b1, b2,
 * c0, c1]`, output pixel (x, y) is input pixel ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k), k = c0 x + c1 y + 1.
 * TensorFlow's ImageProjectiveTransformV3. Throws an OptionError for unknown options.
 */
export function affineTransform(images: tf.Tensor4D, matrices: tf.Tensor2D, options?: AffineOptions): tf.Tensor4D {
  const sampling = samplingOf("affineTransform", options);
  return tf.tidy(() =>
    hasTensorflow() ? projectiveTransform(images, matrices, sampling) : sampleProjective(images, matrices, sampling),
  );
}

/**
 * Rotates each image about its center by `turns` (`[n]`; 1 is a full turn, clockwise), `[n, h, w, c] -> [n, h, w, c]`.
 */
export function rotate(images: tf.Tensor4D, turns: tf.Tensor, options?: AffineOptions): tf.Tensor4D {
  return tf.tidy(() => affineTransform(images, rotationMatrices(images.shape, turns), options));
}

/**
 * Zooms each image about its center, `[n, h, w, c] -> [n, h, w, c]`: the result shows `height` times as much of the
 * height (`[n]`; below 1 enlarges) and `width` times as much of the width.
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

/** `[n, 8]`: rotations about the center by `turns` (`[n]`). */
export function rotationMatrices([, h, w]: readonly number[], turns: tf.Tensor): tf.Tensor2D {
  const angle = tf.mul(turns, 2 * Math.PI);
  const [cos, sin] = [tf.cos(angle), tf.sin(angle)];
  const [x, y] = [(w! - 1) / 2, (h! - 1) / 2];
  // The offsets keep the center (x, y) in its place.
  const right = tf.sub(x, tf.sub(tf.mul(cos, x), tf.mul(sin, y)));
  const down = tf.sub(y, tf.add(tf.mul(sin, x), tf.mul(cos, y)));
  return matrix(cos, tf.neg(sin), right, sin, cos, down);
}

/** `[n, 8]`: shifts by shares of the height and the width (`[n]` each). */
export function translationMatrices([, h, w]: readonly number[], down: tf.Tensor, right: tf.Tensor): tf.Tensor2D {
  return matrix(1, 0, tf.mul(right, -w!), 0, 1, tf.mul(down, -h!));
}

/** `[n, 8]`: shears about the upper left corner. Row y moves by `x * y` pixels, column x by `y * x` (`[n]` each). */
export function shearMatrices(x: tf.Tensor, y: tf.Tensor): tf.Tensor2D {
  return matrix(1, x, 0, y, 1, 0);
}

type Entry = tf.Tensor | number;

/** `[n, 8]` from the six entries, each a number or `[n]`; at least one must be a tensor. */
function matrix(a0: Entry, a1: Entry, a2: Entry, b0: Entry, b1: Entry, b2: Entry): tf.Tensor2D {
  const entries = [a0, a1, a2, b0, b1, b2, 0, 0];
  const n = (entries.find((entry) => typeof entry !== "number") as tf.Tensor).size;
  const columns = entries.map((entry) =>
    typeof entry === "number" ? tf.mul(tf.ones([n, 1]), entry) : tf.reshape(entry, [n, 1]),
  );
  return tf.concat(columns as tf.Tensor2D[], 1);
}
