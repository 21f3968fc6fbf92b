import { OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { layersRandom } from "./random/random-source.ts";
import type { RandomSource } from "./random/random-source.ts";

/**
 * Changes each image at random, `[n, h, w, c] -> [n, h, w, c]` (a crop changes h and w). The random numbers differ from
 * image to image.
 */
export type Augmentation = (images: tf.Tensor4D, random?: RandomSource) => tf.Tensor4D;

/** The range of a random number: `[from, to]`, or `f` for `[-f, f]`. */
export type Factor = number | readonly [from: number, to: number];

/** The smallest and the largest value of a pixel. */
export type ValueRange = readonly [low: number, high: number];

export const byteRange: ValueRange = [0, 255];

/** Applies augmentations one after the other, in the given order. */
export function augmentations(...parts: readonly Augmentation[]): Augmentation {
  return tidied((images, random) => parts.reduce((changed, part) => part(changed, random), images));
}

/**
 * Makes an augmentation from `change`: frees every tensor except the result, and uses tfjs' random numbers if the
 * caller gives no source.
 */
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

/** `[from, to]` of a factor. Throws an OptionError if it exceeds `bounds`. */
export function factorRange(
  where: string,
  factor: Factor,
  [low, high]: readonly [number, number],
): readonly [number, number] {
  const range: unknown = typeof factor === "number" ? [Math.max(-factor, low), factor] : factor;
  if (isPair(range) && range[0] >= low && range[1] <= high && range[0] <= range[1]) return range;
  throw new OptionError(`${where}: expected a number or [from, to] between ${low} and ${high}, got ${shown(factor)}.`);
}

/** Returns the range of pixel values. Throws an OptionError if it is not a range. */
export function checkedRange(where: string, range: ValueRange): ValueRange {
  if (isPair(range) && range[0] < range[1] && range.every(Number.isFinite)) return range;
  throw new OptionError(`${where}: expected the values of pixels as [low, high], low first, got ${shown(range)}.`);
}

export function isPair(range: unknown): range is readonly [number, number] {
  return Array.isArray(range) && range.length === 2 && range.every((value) => typeof value === "number");
}

/** `[n] -> [n, 1, 1, 1]`: one number per image. */
export function perImage(values: tf.Tensor): tf.Tensor4D {
  return tf.reshape(values, [values.size, 1, 1, 1]);
}

/** Takes each image from `images` if `chosen` (`[n]`, bool) is true, else from `others`. */
export function choose(chosen: tf.Tensor, images: tf.Tensor4D, others: tf.Tensor4D): tf.Tensor4D {
  return tf.where(perImage(chosen), images, others);
}
