import { checkOptions, checkValue, wholeFromOne } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { checkChannels } from "./preprocess-values.ts";
import { checkPreprocessing, preprocessingNames } from "./preprocessing-steps.ts";
import type { Preprocessing } from "./preprocessing-steps.ts";

export type { Preprocessing } from "./preprocessing-steps.ts";

/** Unchanged pixels: the network scales them itself. */
export const rawPixels: Preprocessing = {};

/** 0 to 1. */
export const unitPixels: Preprocessing = { scale: 1 / 255 };

/** -1 to 1: Keras' "tf" mode. */
export const signedPixels: Preprocessing = { scale: 1 / 127.5, mean: [1] };

/** BGR around ImageNet's mean: Keras' "caffe" mode. */
export const caffePixels: Preprocessing = { order: "bgr", mean: [103.939, 116.779, 123.68] };

/** ImageNet's mean and deviation: Keras' "torch" mode, torchvision's transforms. */
export const torchPixels: Preprocessing = {
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/**
 * Converts pixels to a network's input: `[n, h, w, c] -> [n, h, w, c]`, float32. Throws an `OptionError` if the number
 * of channels does not match.
 */
export function preprocess(pixels: tf.Tensor4D, preprocessing: Preprocessing): tf.Tensor4D {
  checkOptions("preprocess", preprocessing, preprocessingNames);
  const { scale = 1, order = "rgb", mean, std } = preprocessing;
  const channels = pixels.shape[3];
  checkChannels(preprocessing, channels);
  return tf.tidy(() => {
    let x: tf.Tensor = tf.cast(pixels, "float32");
    if (scale !== 1) x = tf.mul(x, scale);
    if (order === "bgr") x = tf.reverse(x, -1);
    if (mean !== undefined) x = tf.sub(x, mean.length === 1 ? (mean[0] as number) : tf.tensor1d([...mean]));
    if (std !== undefined) x = tf.div(x, std.length === 1 ? (std[0] as number) : tf.tensor1d([...std]));
    return x as tf.Tensor4D;
  });
}

/**
 * Adapts the steps to images with another number of channels (gray, spectral): numbers for three colors become their
 * mean, and the color order is dropped.
 */
export function preprocessingFor(preprocessing: Preprocessing, channels: number): Preprocessing {
  checkPreprocessing("preprocessingFor", preprocessing);
  checkValue("preprocessingFor", "channels", channels, wholeFromOne);
  const { mean, std, order, ...rest } = preprocessing;
  const fits = (values: readonly number[] | undefined): boolean =>
    values === undefined || values.length === 1 || values.length === channels;
  if (channels === 3 && fits(mean) && fits(std)) return preprocessing;
  const one = (values: readonly number[]): number[] => [values.reduce((sum, value) => sum + value, 0) / values.length];
  return {
    ...rest,
    ...(channels === 3 && order !== undefined ? { order } : {}),
    ...(mean === undefined ? {} : { mean: fits(mean) ? mean : one(mean) }),
    ...(std === undefined ? {} : { std: fits(std) ? std : one(std) }),
  };
}
