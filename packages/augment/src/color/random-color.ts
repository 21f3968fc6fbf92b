import * as tf from "@tensorflow/tfjs-core";
import { factorRange, tidied } from "../augmentation.ts";
import type { Augmentation, Factor } from "../augmentation.ts";
import { adjustBrightness, adjustContrast, adjustHue, adjustSaturation, rangeOf } from "./adjust-color.ts";
import type { ColorOptions } from "./adjust-color.ts";

/**
 * Adds a random share of the range to each image and clips to the range; `0.2` adds or subtracts up to a fifth of the
 * range. Keras' RandomBrightness.
 */
export function randomBrightness(factor: Factor, options?: ColorOptions): Augmentation {
  const [from, to] = factorRange("randomBrightness", factor, [-1, 1]);
  rangeOf("randomBrightness", options);
  return tidied((images, random) => adjustBrightness(images, random.uniform([images.shape[0]], from, to), options));
}

/**
 * Multiplies each image's distance from the mean of its channel by `1 + f`, with f drawn from the factor's range: `0.2`
 * gives 0.8 to 1.2. This is Keras' RandomContrast as documented; its code draws from 1 to 1.2.
 */
export function randomContrast(factor: Factor, options?: ColorOptions): Augmentation {
  const [from, to] = factorRange("randomContrast", factor, [-1, 1]);
  rangeOf("randomContrast", options);
  return tidied((images, random) =>
    adjustContrast(images, random.uniform([images.shape[0]], 1 + from, 1 + to), options),
  );
}

/** Changes the hue of each RGB image by up to `factor` half turns in either direction. Keras' RandomHue. */
export function randomHue(factor: Factor, options?: ColorOptions): Augmentation {
  const [from, to] = factorRange("randomHue", factor, [-1, 1]);
  rangeOf("randomHue", options);
  return tidied((images, random) => adjustHue(images, random.uniform([images.shape[0]], from / 2, to / 2), options));
}

/**
 * Multiplies the saturation of each RGB image by f / (1 - f), with f drawn from the factor's range: 0 gives gray, 0.5
 * leaves the image unchanged, 1 gives full color. Keras' RandomSaturation.
 */
export function randomSaturation(factor: readonly [number, number], options?: ColorOptions): Augmentation {
  const [from, to] = factorRange("randomSaturation", factor, [0, 1]);
  rangeOf("randomSaturation", options);
  return tidied((images, random) => {
    const drawn = random.uniform([images.shape[0]], from, to);
    return adjustSaturation(images, saturationFactors(drawn), options);
  });
}

/** f / (1 - f); the small number is Keras' epsilon. */
export function saturationFactors(drawn: tf.Tensor): tf.Tensor {
  return tf.div(drawn, tf.sub(1 + 1e-7, drawn));
}
