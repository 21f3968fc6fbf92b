import { checkOptions, OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { byteRange, checkedRange, choose, factorRange, tidied } from "./augmentation.ts";
import type { Augmentation, ValueRange } from "./augmentation.ts";
import type { RandomSource } from "./random/random-source.ts";

export interface ErasingOptions {
  /** The probability that an image is erased; 0.5 by default. */
  readonly probability?: number | undefined;
  /** The smallest and the largest share of the image for the rectangle; 0.02 and 0.33 by default. */
  readonly scale?: readonly [number, number] | undefined;
  /** The value inside the rectangle; noise by default. */
  readonly fillValue?: number | undefined;
  /** The smallest and the largest value of a pixel; 0 and 255 by default. */
  readonly range?: ValueRange | undefined;
}

/**
 * Covers a random rectangle in each image with noise or `fillValue`. Each side is the square root of a share drawn from
 * `scale`. Keras' RandomErasing; Zhong et al. 2017, https://arxiv.org/abs/1708.04896.
 */
export function randomErasing(options: ErasingOptions = {}): Augmentation {
  checkOptions("randomErasing", options, { probability: true, scale: true, fillValue: true, range: true });
  const { probability = 0.5, scale = [0.02, 0.33], fillValue, range = byteRange } = options;
  if (!(probability >= 0 && probability <= 1)) {
    throw new OptionError(`randomErasing: expected a probability between 0 and 1, got ${shown(probability)}.`);
  }
  return erasing({
    probabilities: [probability, probability],
    scale: factorRange("randomErasing scale", scale, [0, 1]),
    fillValue,
    range: checkedRange("randomErasing", range),
  });
}

/** Options of `erasing`: each image's probability of being erased is drawn from `probabilities`. */
export interface Erasing {
  readonly probabilities: readonly [number, number];
  readonly scale: readonly [number, number];
  /** One value, or one per channel; noise if undefined. */
  readonly fillValue: number | readonly number[] | undefined;
  readonly range: ValueRange;
}

export function erasing({ probabilities, scale, fillValue, range: [low, high] }: Erasing): Augmentation {
  const [from, to] = scale;
  return tidied((images, random) => {
    const n = images.shape[0];
    const side = () => tf.sqrt(random.uniform([n], from, to));
    const { mask } = randomBoxes(images.shape, side(), side(), random);
    const filling = tf.clipByValue(
      fillValue === undefined
        ? tf.mul(random.normal(images.shape, 0, 1), high)
        : tf.add(tf.zerosLike(images), tf.tensor(typeof fillValue === "number" ? [fillValue] : [...fillValue])),
      low,
      high,
    );
    const erased = tf.where(mask, filling, images) as tf.Tensor4D;
    const [least, most] = probabilities;
    const threshold = random.uniform([n], 0, 1);
    return choose(tf.less(threshold, least === most ? most : random.uniform([n], least, most)), erased, images);
  });
}

export interface Boxes {
  /** `[n, h, w, 1]`, true inside the box. */
  readonly mask: tf.Tensor4D;
  /** The share of pixels inside the box, `[n]`. */
  readonly share: tf.Tensor1D;
}

/** A random box in each image, with sides `heights` and `widths` (`[n]`, as shares of the image's sides). */
export function randomBoxes(
  [n, h, w]: readonly [number, number, number, number],
  heights: tf.Tensor,
  widths: tf.Tensor,
  random: RandomSource,
): Boxes {
  const along = (size: number, shares: tf.Tensor, shape: number[]) => {
    const start = tf.mul(tf.mul(random.uniform([n], 0, 1), tf.sub(1, shares)), size);
    const end = tf.add(start, tf.mul(shares, size));
    const places = tf.reshape(tf.range(0, size, 1, "float32"), [1, size]);
    const column = (values: tf.Tensor) => tf.reshape(values, [n, 1]);
    const within = tf.logicalAnd(tf.greaterEqual(places, column(start)), tf.less(places, column(end)));
    return tf.reshape(within, shape);
  };
  const rows = along(h, heights, [n, h, 1, 1]);
  const columns = along(w, widths, [n, 1, w, 1]);
  const mask = tf.logicalAnd(rows, columns) as tf.Tensor4D;
  return { mask, share: tf.mean(tf.cast(mask, "float32"), [1, 2, 3]) };
}
