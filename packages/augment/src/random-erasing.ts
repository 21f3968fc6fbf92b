import * as tf from "@tensorflow/tfjs-core";
import { byteRange, choose, factorRange, tidied } from "./augmentation.ts";
import type { Augmentation, ValueRange } from "./augmentation.ts";
import type { RandomSource } from "./random-source.ts";

export interface ErasingOptions {
  /** The part of the images that are erased. */
  probability?: number | undefined;
  /** The share of the image that the rectangle takes, from and to (of each side its root). */
  scale?: readonly [number, number] | undefined;
  /** What is put there; noise without it. */
  fillValue?: number | undefined;
  range?: ValueRange | undefined;
}

/** Puts noise over a rectangle somewhere in each image. Keras' RandomErasing; Zhong et al. 2017, https://arxiv.org/abs/1708.04896. */
export function randomErasing({
  probability = 0.5,
  scale = [0.02, 0.33],
  fillValue,
  range: [low, high] = byteRange,
}: ErasingOptions = {}): Augmentation {
  const [from, to] = factorRange("The scale of erasing", scale, [0, 1]);
  return tidied((images, random) => {
    const n = images.shape[0];
    const side = () => tf.sqrt(random.uniform([n], from, to));
    const inside = randomBoxes(images.shape, side(), side(), random);
    const filling =
      fillValue === undefined
        ? tf.clipByValue(tf.mul(random.normal(images.shape, 0, 1), high), low, high)
        : tf.fill(images.shape, fillValue);
    const erased = tf.where(inside.mask, filling, images) as tf.Tensor4D;
    return choose(tf.less(random.uniform([n], 0, 1), probability), erased, images);
  });
}

export interface Boxes {
  /** `[n, h, w, 1]`, set inside the box. */
  mask: tf.Tensor4D;
  /** The share of the pixels that are inside, `[n]`. */
  share: tf.Tensor1D;
}

/** A box an image, `heights` and `widths` (`[n]`) of its sides long, anywhere inside. */
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
