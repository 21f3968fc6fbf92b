import * as tf from "@tensorflow/tfjs-core";
import { denseBincount } from "../tensorflow-ops.ts";

/** RandAugment's changes of pixel values, each on images of 0..255, `[n, h, w, c] -> [n, h, w, c]`. */

/** Interpolates between black (factor 0) and the image (1); extrapolates beyond 1. */
export function brighten(images: tf.Tensor4D, factor: tf.Tensor4D): tf.Tensor4D {
  return mixedWith(tf.zerosLike(images), images, factor);
}

/** Interpolates between gray (factor 0) and the image (1); extrapolates beyond 1. */
export function saturate(images: tf.Tensor4D, factor: tf.Tensor4D): tf.Tensor4D {
  return mixedWith(grayOf(images), images, factor);
}

/** Interpolates between an even gray (factor 0) and the image (1); extrapolates beyond 1. */
export function contrast(images: tf.Tensor4D, factor: tf.Tensor4D): tf.Tensor4D {
  return mixedWith(tf.mean(grayOf(images), [1, 2, 3], true), images, factor);
}

/**
 * Interpolates between a smoothed image (factor 0) and the image (1); extrapolates beyond 1. Edge pixels stay
 * unchanged.
 */
export function sharpen(images: tf.Tensor4D, factor: tf.Tensor4D): tf.Tensor4D {
  const [, h, w, c] = images.shape;
  if (h < 3 || w < 3) return images;
  const kernel = tf.div(tf.tensor([1, 1, 1, 1, 5, 1, 1, 1, 1], [3, 3, 1, 1]), 13);
  const smooth = tf.depthwiseConv2d(images, tf.tile(kernel, [1, 1, c, 1]) as tf.Tensor4D, 1, "valid");
  const inner = tf.pad(tf.onesLike(smooth), [
    [0, 0],
    [1, 1],
    [1, 1],
    [0, 0],
  ]);
  const around = tf.pad(smooth, [
    [0, 0],
    [1, 1],
    [1, 1],
    [0, 0],
  ]);
  return mixedWith(tf.where(tf.greater(inner, 0), around, images), images, factor);
}

/** Sets the lower `bits` bits of each value to 0. */
export function posterize(images: tf.Tensor4D, bits: number): tf.Tensor4D {
  return tf.mul(tf.floor(tf.div(images, 2 ** bits)), 2 ** bits);
}

/** Inverts values of `threshold` and above. */
export function solarize(images: tf.Tensor4D, threshold: number): tf.Tensor4D {
  return tf.where(tf.greaterEqual(images, threshold), tf.sub<tf.Tensor4D>(255, images), images);
}

/** Stretches each channel to 0..255. */
export function autoContrast(images: tf.Tensor4D): tf.Tensor4D {
  const low = tf.min(images, [1, 2], true);
  const spread = tf.sub(tf.max(images, [1, 2], true), low);
  const scale = tf.div(255, tf.where(tf.greater(spread, 0), spread, tf.onesLike(spread)));
  return tf.where(
    tf.greater(tf.add(tf.zerosLike(images), spread), 0),
    tf.mul<tf.Tensor4D>(tf.sub(images, low), scale),
    images,
  );
}

/** Makes all levels of each channel about equally frequent, like PIL. */
export function equalize(images: tf.Tensor4D): tf.Tensor4D {
  const [n, h, w, c] = images.shape;
  const rows = n * c;
  const bytes = tf.clipByValue(tf.floor(images), 0, 255);
  const levels = tf.reshape(tf.transpose(bytes, [0, 3, 1, 2]), [rows, h * w]) as tf.Tensor2D;
  const whole = tf.cast(levels, "int32") as tf.Tensor2D;
  const counts = tf.cast(denseBincount(whole, 256), "float32") as tf.Tensor2D;
  const most = tf.max(levels, 1, true);
  const ofMost = tf.sum(tf.cast(tf.equal(levels, most), "float32"), 1, true);
  const perLevel = tf.floor(tf.div(tf.sub(h * w, ofMost), 255));
  const below = tf.sub(tf.cumsum(counts, 1), counts);
  const equalized = tf.div(tf.add(below, tf.floor(tf.div(perLevel, 2))), tf.maximum(perLevel, 1));
  const table = tf.clipByValue(tf.floor(equalized), 0, 255);
  const unchanged = tf.add(tf.zerosLike(table), tf.reshape(tf.range(0, 256, 1, "float32"), [1, 256]));
  const lookup = tf.where(tf.greater(tf.add(tf.zerosLike(table), perLevel), 0), table, unchanged);
  const offsets = tf.reshape(tf.range(0, rows * 256, 256, "int32"), [rows, 1]);
  const places = tf.cast(tf.reshape(tf.add(whole, offsets), [rows * h * w]), "int32");
  const changed = tf.gather(tf.reshape(lookup, [rows * 256]), places);
  return tf.transpose(tf.reshape(changed, [n, c, h, w]), [0, 2, 3, 1]) as tf.Tensor4D;
}

function mixedWith(plain: tf.Tensor, images: tf.Tensor4D, factor: tf.Tensor4D): tf.Tensor4D {
  return tf.clipByValue(tf.add(plain, tf.mul(factor, tf.sub(images, plain))), 0, 255) as tf.Tensor4D;
}

/** Luma of RGB images, else the mean of the channels, `[n, h, w, c] -> [n, h, w, 1]`. */
function grayOf(images: tf.Tensor4D): tf.Tensor4D {
  if (images.shape[3] !== 3) return tf.mean(images, 3, true) as tf.Tensor4D;
  const weights = tf.tensor([0.299, 0.587, 0.114], [1, 1, 1, 3]);
  return tf.sum(tf.mul(images, weights), 3, true) as tf.Tensor4D;
}
