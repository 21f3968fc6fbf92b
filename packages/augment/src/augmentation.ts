import { OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { layersRandom } from "./random/random-source.ts";
import type { RandomSource } from "./random/random-source.ts";

/** Changes each image at random, `[n, h, w, c] -> [n, h, w, c]` (a crop changes h and w). Each image draws its own numbers. */
export type Augmentation = (images: tf.Tensor4D, random?: RandomSource) => tf.Tensor4D;

/** The range that a number is drawn from: `[from, to]`, or `f` for `[-f, f]`. */
export type Factor = number | readonly [from: number, to: number];

/** The smallest and the largest value of a pixel. */
export type ValueRange = readonly [low: number, high: number];

export const byteRange: ValueRange = [0, 255];

/** One augmentation after the other, in the order given. */
export function augmentations(...parts: readonly Augmentation[]): Augmentation {
  return tidied((images, random) => parts.reduce((changed, part) => part(changed, random), images));
}

/** An augmentation from `change`: frees every tensor but the result, and draws from tfjs where the caller gives no source. */
export function tidied(change: (images: tf.Tensor4D, random: RandomSource) => tf.Tensor4D): Augmentation {
  return (images, random = layersRandom) => {
    if (images.shape.length !== 4) {
      throw new OptionError(
        `Augmentation: expected a batch of images [n, height, width, channels], got the shape ${shown(images.shape)}.`,
      );
    }
    return tf.tidy(() => change(tf.cast(images, "float32"), random));
  };
}

/** `[from, to]` of a factor; an OptionError where it leaves `bounds`. */
export function factorRange(
  where: string,
  factor: Factor,
  [low, high]: readonly [number, number],
): readonly [number, number] {
  const range: unknown = typeof factor === "number" ? [Math.max(-factor, low), factor] : factor;
  if (isPair(range) && range[0] >= low && range[1] <= high && range[0] <= range[1]) return range;
  throw new OptionError(`${where}: expected a number or [from, to] between ${low} and ${high}, got ${shown(factor)}.`);
}

/** The range of pixel values; an OptionError where it is no range. */
export function checkedRange(where: string, range: ValueRange): ValueRange {
  if (isPair(range) && range[0] < range[1] && range.every(Number.isFinite)) return range;
  throw new OptionError(`${where}: expected the values of pixels as [low, high], low first, got ${shown(range)}.`);
}

export function isPair(range: unknown): range is readonly [number, number] {
  return Array.isArray(range) && range.length === 2 && range.every((value) => typeof value === "number");
}

/** `[n] -> [n, 1, 1, 1]`: one number an image. */
export function perImage(values: tf.Tensor): tf.Tensor4D {
  return tf.reshape(values, [values.size, 1, 1, 1]);
}

/** Of each image, `images` where `chosen` (`[n]`, bool) is true and `others` where it is false. */
export function choose(chosen: tf.Tensor, images: tf.Tensor4D, others: tf.Tensor4D): tf.Tensor4D {
  return tf.where(perImage(chosen), images, others);
}
