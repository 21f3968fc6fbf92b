import * as tf from "@tensorflow/tfjs-core";
import { DataError } from "../data-error.ts";
import { layersRandom } from "./random-source.ts";
import type { RandomSource } from "./random-source.ts";

/** Changes each image by chance, `[n, h, w, c] -> [n, h, w, c]` (cropping: its own size). Each image draws for itself. */
export type Augmentation = (images: tf.Tensor4D, random?: RandomSource) => tf.Tensor4D;

/** What an option may vary between: `[from, to]`, or `f` for `[-f, f]`. */
export type Factor = number | readonly [from: number, to: number];

/** The values that pixels have. */
export type ValueRange = readonly [low: number, high: number];

export const byteRange: ValueRange = [0, 255];

/** One augmentation after the other. */
export function augmentations(...steps: readonly Augmentation[]): Augmentation {
  return tidied((images, random) => steps.reduce((changed, step) => step(changed, random), images));
}

/** An augmentation that leaves no tensor but its result, and draws from `layersRandom` where no source is given. */
export function tidied(change: (images: tf.Tensor4D, random: RandomSource) => tf.Tensor4D): Augmentation {
  return (images, random = layersRandom) => tf.tidy(() => change(tf.cast(images, "float32"), random));
}

/** `[from, to]` of a factor, or a `DataError` where it leaves `bounds`. */
export function factorRange(
  name: string,
  factor: Factor,
  [low, high]: readonly [number, number],
): readonly [number, number] {
  const range: unknown = typeof factor === "number" ? [Math.max(-factor, low), factor] : factor;
  if (isPair(range) && range[0] >= low && range[1] <= high && range[0] <= range[1]) return range;
  throw new DataError(`${name} should lie between ${low} and ${high}, smaller first, not ${JSON.stringify(factor)}`);
}

function isPair(range: unknown): range is readonly [number, number] {
  return Array.isArray(range) && range.length === 2 && range.every((value) => typeof value === "number");
}

/** `[n] -> [n, 1, 1, 1]`: one number an image. */
export function perImage(values: tf.Tensor): tf.Tensor4D {
  return tf.reshape(values, [values.size, 1, 1, 1]);
}

/** The images where `chosen` (`[n]`, boolean) is set, the others elsewhere. */
export function choose(chosen: tf.Tensor, images: tf.Tensor4D, others: tf.Tensor4D): tf.Tensor4D {
  return tf.where(perImage(chosen), images, others);
}
