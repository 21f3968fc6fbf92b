import { checkOptions, OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { byteRange, checkedRange, perImage } from "../augmentation.ts";
import type { ValueRange } from "../augmentation.ts";

export interface ColorOptions {
  /** The smallest and the largest value of a pixel; 0 and 255 by default. */
  readonly range?: ValueRange | undefined;
}

/** The range of pixel values in the options. Throws an OptionError for unknown options. */
export function rangeOf(where: string, options: ColorOptions = {}): ValueRange {
  checkOptions(where, options, { range: true });
  return checkedRange(where, options.range ?? byteRange);
}

/** Adds `shares` (`[n]`) of the range to the images, and clips to the range, `[n, h, w, c] -> [n, h, w, c]`. */
export function adjustBrightness(images: tf.Tensor4D, shares: tf.Tensor, options?: ColorOptions): tf.Tensor4D {
  const [low, high] = rangeOf("adjustBrightness", options);
  return tf.tidy(() => tf.clipByValue(tf.add(images, tf.mul(perImage(shares), high - low)), low, high) as tf.Tensor4D);
}

/** Multiplies the distance from the mean of each image's channel by `factors` (`[n]`), and clips to the range. */
export function adjustContrast(images: tf.Tensor4D, factors: tf.Tensor, options?: ColorOptions): tf.Tensor4D {
  const [low, high] = rangeOf("adjustContrast", options);
  return tf.tidy(() => {
    const mean = tf.mean(images, [1, 2], true);
    return tf.clipByValue(tf.add(tf.mul(tf.sub(images, mean), perImage(factors)), mean), low, high) as tf.Tensor4D;
  });
}

/** Adds `turns` (`[n]`; 1 is a full turn) to the hue of RGB images, `[n, h, w, 3] -> [n, h, w, 3]`. */
export function adjustHue(images: tf.Tensor4D, turns: tf.Tensor, options?: ColorOptions): tf.Tensor4D {
  return throughHsv("adjustHue", images, options, ([hue, saturation, value]) => {
    const turned = tf.add(hue, perImage(turns));
    return [tf.sub(turned, tf.floor(turned)), saturation, value];
  });
}

/** Multiplies the saturation of RGB images by `factors` (`[n]`), and clips it to 0..1 (Keras does not clip above 1). */
export function adjustSaturation(images: tf.Tensor4D, factors: tf.Tensor, options?: ColorOptions): tf.Tensor4D {
  return throughHsv("adjustSaturation", images, options, ([hue, saturation, value]) => [
    hue,
    tf.clipByValue(tf.mul(saturation, perImage(factors)), 0, 1),
    value,
  ]);
}

/** Each `[n, h, w, 1]`; the hue in full turns, saturation and value from 0 to 1. */
type Hsv = readonly [hue: tf.Tensor, saturation: tf.Tensor, value: tf.Tensor];

function throughHsv(
  where: string,
  images: tf.Tensor4D,
  options: ColorOptions | undefined,
  change: (hsv: Hsv) => Hsv,
): tf.Tensor4D {
  const [low, high] = rangeOf(where, options);
  if (images.shape[3] !== 3) {
    throw new OptionError(`${where}: expected images of 3 channels (RGB), got ${images.shape[3]}.`);
  }
  return tf.tidy(() => {
    const rgb = hsvToRgb(change(rgbToHsv(tf.div(tf.sub(images, low), high - low))));
    return tf.add(tf.mul(rgb, high - low), low) as tf.Tensor4D;
  });
}

/** TensorFlow's RGBToHSV, for values from 0 to 1. */
function rgbToHsv(images: tf.Tensor): Hsv {
  const [red, green, blue] = tf.split(images, 3, 3) as [tf.Tensor, tf.Tensor, tf.Tensor];
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
  const saturation = tf.div(spread, tf.where(tf.greater(value, 0), value, one));
  return [tf.where(tf.less(hue, 0), tf.add(hue, 1), hue), saturation, value];
}

/** TensorFlow's HSVToRGB, `[n, h, w, 3]` with values from 0 to 1. */
function hsvToRgb([hue, saturation, value]: Hsv): tf.Tensor {
  const angle = tf.mul(hue, 6);
  const weights = [
    tf.sub(tf.abs(tf.sub(angle, 3)), 1),
    tf.sub(2, tf.abs(tf.sub(angle, 2))),
    tf.sub(2, tf.abs(tf.sub(angle, 4))),
  ].map((weight) => tf.clipByValue(weight, 0, 1));
  const channels = weights.map((weight) => tf.mul(value, tf.add(tf.sub(1, saturation), tf.mul(saturation, weight))));
  return tf.concat(channels, 3);
}
