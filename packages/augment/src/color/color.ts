import * as tf from "@tensorflow/tfjs-core";
import { DataError } from "../data-error.ts";
import { byteRange, factorRange, perImage, tidied } from "./augmentation.ts";
import type { Augmentation, Factor, ValueRange } from "./augmentation.ts";

export interface ColourOptions {
  /** The values that pixels have; 0..255. */
  range?: ValueRange | undefined;
}

/** Adds to each image a share of the range, `0.2` up to a fifth either way, and cuts at its ends. Keras' RandomBrightness. */
export function randomBrightness(factor: Factor, { range = byteRange }: ColourOptions = {}): Augmentation {
  const [from, to] = factorRange("The brightness", factor, [-1, 1]);
  return tidied((images, random) => adjustBrightness(images, random.uniform([images.shape[0]], from, to), { range }));
}

/**
 * Stretches each image about the mean of each channel by `1 - factor` to `1 + factor`. Keras' RandomContrast as documented (its
 * code, given one number, never lowers contrast).
 */
export function randomContrast(factor: Factor, { range = byteRange }: ColourOptions = {}): Augmentation {
  const [from, to] = factorRange("The contrast", factor, [-1, 1]);
  return tidied((images, random) =>
    adjustContrast(images, random.uniform([images.shape[0]], 1 + from, 1 + to), { range }),
  );
}

/** Turns the hue of each image by up to `factor` half turns either way. Keras' RandomHue. */
export function randomHue(factor: Factor, { range = byteRange }: ColourOptions = {}): Augmentation {
  const [from, to] = factorRange("The hue", factor, [-1, 1]);
  return tidied((images, random) => adjustHue(images, random.uniform([images.shape[0]], from / 2, to / 2), { range }));
}

/**
 * Multiplies the saturation of each image by f / (1 - f), f from the factor's range: 0.5 leaves it, 0 makes gray, 1 full
 * colour. Keras' RandomSaturation.
 */
export function randomSaturation(
  factor: readonly [number, number],
  { range = byteRange }: ColourOptions = {},
): Augmentation {
  const [from, to] = factorRange("The saturation", factor, [0, 1]);
  return tidied((images, random) => {
    const drawn = random.uniform([images.shape[0]], from, to);
    return adjustSaturation(images, tf.div(drawn, tf.sub(1 + 1e-7, drawn)), { range });
  });
}

/** Adds `shares` (`[n]`) of the range to the images. */
export function adjustBrightness(
  images: tf.Tensor4D,
  shares: tf.Tensor,
  { range = byteRange }: ColourOptions = {},
): tf.Tensor4D {
  const [low, high] = range;
  return tf.tidy(() => tf.clipByValue(tf.add(images, tf.mul(perImage(shares), high - low)), low, high) as tf.Tensor4D);
}

/** Multiplies the distance from each channel's mean by `factors` (`[n]`). */
export function adjustContrast(
  images: tf.Tensor4D,
  factors: tf.Tensor,
  { range: [low, high] = byteRange }: ColourOptions = {},
): tf.Tensor4D {
  return tf.tidy(() => {
    const mean = tf.mean(images, [1, 2], true);
    return tf.clipByValue(tf.add(tf.mul(tf.sub(images, mean), perImage(factors)), mean), low, high) as tf.Tensor4D;
  });
}

/** Adds `turns` (`[n]`; 1 is all the way round) to the hue of RGB images. */
export function adjustHue(
  images: tf.Tensor4D,
  turns: tf.Tensor,
  { range = byteRange }: ColourOptions = {},
): tf.Tensor4D {
  return throughHsv(images, range, ([hue, saturation, value]) => {
    const turned = tf.add(hue, perImage(turns));
    return [tf.sub(turned, tf.floor(turned)), saturation, value];
  });
}

/** Multiplies the saturation of RGB images by `factors` (`[n]`), and cuts it at 1 (Keras lets it pass). */
export function adjustSaturation(
  images: tf.Tensor4D,
  factors: tf.Tensor,
  { range = byteRange }: ColourOptions = {},
): tf.Tensor4D {
  return throughHsv(images, range, ([hue, saturation, value]) => [
    hue,
    tf.clipByValue(tf.mul(saturation, perImage(factors)), 0, 1),
    value,
  ]);
}

type Hsv = readonly [hue: tf.Tensor, saturation: tf.Tensor, value: tf.Tensor];

/** Hue in turns, saturation and value in 0..1; as TensorFlow's RGBToHSV and HSVToRGB have them. */
function throughHsv(images: tf.Tensor4D, [low, high]: ValueRange, change: (hsv: Hsv) => Hsv): tf.Tensor4D {
  if (images.shape[3] !== 3)
    throw new DataError(`Hue and saturation need images of 3 channels, not ${images.shape[3]}`);
  return tf.tidy(() => {
    const [red, green, blue] = tf.split(tf.div(tf.sub(images, low), high - low), 3, 3) as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ];
    const value = tf.maximum(red, tf.maximum(green, blue));
    const spread = tf.sub(value, tf.minimum(red, tf.minimum(green, blue)));
    const one = tf.onesLike(value);
    const sixth = tf.div(1 / 6, tf.where(tf.greater(spread, 0), spread, one));
    const hue = tf.where(
      tf.equal(value, red),
      tf.mul(tf.sub(green, blue), sixth),
      tf.where(
        tf.equal(value, green),
        tf.add(tf.mul(tf.sub(blue, red), sixth), 2 / 6),
        tf.add(tf.mul(tf.sub(red, green), sixth), 4 / 6),
      ),
    );
    const wrapped = tf.where(tf.less(hue, 0), tf.add(hue, 1), hue);
    const saturation = tf.div(spread, tf.where(tf.greater(value, 0), value, one));
    const [h, s, v] = change([wrapped, saturation, value]);
    const angle = tf.mul(h, 6);
    const weights = [
      tf.sub(tf.abs(tf.sub(angle, 3)), 1),
      tf.sub(2, tf.abs(tf.sub(angle, 2))),
      tf.sub(2, tf.abs(tf.sub(angle, 4))),
    ].map((weight) => tf.clipByValue(weight, 0, 1));
    const channels = weights.map((weight) => tf.mul(v, tf.add(tf.sub(1, s), tf.mul(s, weight))));
    return tf.add(tf.mul(tf.concat(channels, 3), high - low), low) as tf.Tensor4D;
  });
}
