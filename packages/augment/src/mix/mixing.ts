import { OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { perImage } from "../augmentation.ts";
import { randomBoxes } from "../random-erasing.ts";
import { layersRandom } from "../random/random-source.ts";
import type { RandomSource } from "../random/random-source.ts";
import { betaQuantiles } from "./beta-quantiles.ts";
import type { BetaQuantiles } from "./beta-quantiles.ts";

/** Images, and the share of each class in each image: `[n, h, w, c]` and `[n, classes]`. */
export type Mixed = {
  readonly images: tf.Tensor4D;
  readonly labels: tf.Tensor2D;
};

/** Changes images and their labels together. */
export type Mixing = (images: tf.Tensor4D, labels: tf.Tensor2D, random?: RandomSource) => Mixed;

/**
 * Blends each image with the next image of the batch, and the labels accordingly. The weight is drawn from Beta(alpha,
 * alpha). In a shuffled batch the next image is a random one. Zhang et al. 2017, https://arxiv.org/abs/1710.09412.
 */
export function mixup(alpha = 0.2): Mixing {
  const quantiles = betaQuantiles("mixup", alpha);
  return mixing("mixup", (images, labels, random) => {
    const weights = drawBeta(quantiles, images.shape[0], random);
    return {
      images: blend(perImage(weights), images, next(images)),
      labels: blend(column(weights), labels, next(labels)),
    };
  });
}

/**
 * Copies a box of the next image of the batch into each image, and mixes the labels by the numbers of pixels. The box's
 * share of the image is drawn from Beta(alpha, alpha). Yun et al. 2019, https://arxiv.org/abs/1905.04899.
 */
export function cutmix(alpha = 1): Mixing {
  const quantiles = betaQuantiles("cutmix", alpha);
  return mixing("cutmix", (images, labels, random) => {
    const side = tf.sqrt(tf.sub(1, drawBeta(quantiles, images.shape[0], random)));
    const { mask, share } = randomBoxes(images.shape, side, side, random);
    return {
      images: tf.where(mask, next(images), images) as tf.Tensor4D,
      labels: blend(column(tf.sub(1, share)), labels, next(labels)),
    };
  });
}

/** Takes `amount` from each label and spreads it evenly over all classes, `[n, classes] -> [n, classes]`. */
export function smoothLabels(labels: tf.Tensor2D, amount = 0.1): tf.Tensor2D {
  if (!(amount >= 0 && amount < 1)) {
    throw new OptionError(`smoothLabels: expected an amount of at least 0 and below 1, got ${shown(amount)}.`);
  }
  return tf.tidy(() => tf.add(tf.mul(labels, 1 - amount), amount / labels.shape[1]));
}

function mixing(
  where: string,
  change: (images: tf.Tensor4D, labels: tf.Tensor2D, random: RandomSource) => Mixed,
): Mixing {
  return (images, labels, random = layersRandom) => {
    if (labels.shape.length !== 2 || labels.shape[0] !== images.shape[0]) {
      throw new OptionError(
        `${where}: expected labels of the shape [${images.shape[0]}, classes] (one-hot), got [${labels.shape.join(", ")}].`,
      );
    }
    return tf.tidy(() => change(tf.cast(images, "float32"), labels, random));
  };
}

/** Each row's next row; after the last row comes the first. `[n, …] -> [n, …]` */
function next<T extends tf.Tensor>(rows: T): T {
  const n = rows.shape[0]!;
  if (n === 1) return rows;
  const rest = rows.shape.slice(1).map(() => 0);
  const sizes = rows.shape.slice(1);
  return tf.concat(
    [tf.slice(rows, [1, ...rest], [n - 1, ...sizes]), tf.slice(rows, [0, ...rest], [1, ...sizes])],
    0,
  ) as T;
}

function blend<T extends tf.Tensor>(weights: tf.Tensor, first: T, second: T): T {
  return tf.add(tf.mul(weights, first), tf.mul(tf.sub(1, weights), second));
}

function column(values: tf.Tensor): tf.Tensor2D {
  return tf.reshape(values, [values.size, 1]);
}

/** `[n]` draws from Beta(alpha, alpha): a uniform number selects the table entry. */
function drawBeta({ power, table }: BetaQuantiles, n: number, random: RandomSource): tf.Tensor {
  const last = table.length - 1;
  const drawn = random.uniform([n], -1, 1);
  const place = tf.mul(tf.abs(drawn), last);
  const low = tf.minimum(tf.floor(place), last - 1);
  const values = tf.tensor1d([...table]);
  const at = (index: tf.Tensor) => tf.gather(values, tf.cast(index, "int32"));
  const between = tf.add(at(low), tf.mul(tf.sub(place, low), tf.sub(at(tf.add(low, 1)), at(low))));
  const half = tf.pow(between, power);
  // The table has only the lower half; the distribution is symmetric about one half.
  return tf.where(tf.less(drawn, 0), half, tf.sub(1, half));
}
