import { checkOptions, OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { choose, perImage, tidied } from "./augmentation.ts";
import type { Augmentation } from "./augmentation.ts";
import { autoContrast, brighten, contrast, equalize, posterize, saturate, sharpen, solarize } from "./color/tone.ts";
import { affineTransform, rotationMatrices, shearMatrices, translationMatrices } from "./geometry/affine.ts";

export interface RandAugmentOptions {
  /** Number of changes to each image, one after the other; 2 by default. */
  readonly count?: number | undefined;
  /** Strength of the changes, 0 to 10; 9 by default. */
  readonly magnitude?: number | undefined;
  /** The value of pixels from outside the image; 128 by default. */
  readonly fillValue?: number | undefined;
}

/** The paper's changes, in the order of their drawn numbers. */
export const randAugmentOps = [
  "identity",
  "shear-x",
  "shear-y",
  "translate-x",
  "translate-y",
  "rotate",
  "brightness",
  "color",
  "contrast",
  "sharpness",
  "posterize",
  "solarize",
  "auto-contrast",
  "equalize",
] as const;

type RandAugmentOp = (typeof randAugmentOps)[number];

/**
 * Makes `count` of the paper's fourteen changes to each image of 0..255. Kind and direction are drawn for each image.
 * Magnitude 10 means: shear 0.3, shift 150/331 of a side, 30 degrees, color, contrast, brightness and sharpness by 0.9,
 * 4 bits. Cubuk et al. 2019, RandAugment, https://arxiv.org/abs/1909.13719, with torchvision's ranges.
 */
export function randAugment(options: RandAugmentOptions = {}): Augmentation {
  checkOptions("randAugment", options, { count: true, magnitude: true, fillValue: true });
  const { count = 2, magnitude = 9, fillValue = 128 } = options;
  if (!(magnitude >= 0 && magnitude <= 10)) {
    throw new OptionError(`randAugment: expected a magnitude from 0 to 10, got ${shown(magnitude)}.`);
  }
  if (!Number.isInteger(count) || count < 1) {
    throw new OptionError(`randAugment: expected a whole number from 1 as count, got ${shown(count)}.`);
  }
  return tidied((images, random) => {
    const n = images.shape[0];
    let changed = images;
    for (let round = 0; round < count; round++) {
      const op = tf.floor(random.uniform([n], 0, randAugmentOps.length));
      const sign = tf.sub(tf.mul(tf.cast(tf.less(random.uniform([n], 0, 1), 0.5), "float32"), 2), 1);
      changed = applyDrawn(changed, op, sign, { magnitude, fillValue });
    }
    return changed;
  });
}

/** Makes one change to each image: number `op` (`[n]`), in the direction of `sign` (`[n]`, 1 or -1). */
export function applyDrawn(
  images: tf.Tensor4D,
  op: tf.Tensor,
  sign: tf.Tensor,
  { magnitude, fillValue }: { readonly magnitude: number; readonly fillValue: number },
): tf.Tensor4D {
  return tf.tidy(() => {
    const strength = magnitude / 10;
    const isOp = (name: RandAugmentOp) => tf.equal(op, randAugmentOps.indexOf(name));
    const matrices = drawnMatrices(images.shape, (name, most) =>
      tf.mul(tf.mul(sign, tf.cast(isOp(name), "float32")), most * strength),
    );
    const moved = affineTransform(images, matrices, { fill: "constant", fillValue });
    const isGeometric = tf.logicalAnd(tf.greaterEqual(op, 1), tf.lessEqual(op, 5));
    const factor = perImage(tf.add(1, tf.mul(sign, 0.9 * strength)));
    const tones: [RandAugmentOp, tf.Tensor4D][] = [
      ["brightness", brighten(images, factor)],
      ["color", saturate(images, factor)],
      ["contrast", contrast(images, factor)],
      ["sharpness", sharpen(images, factor)],
      ["posterize", posterize(images, Math.round(4 * strength))],
      ["solarize", solarize(images, 255 * (1 - strength))],
      ["auto-contrast", autoContrast(images)],
      ["equalize", equalize(images)],
    ];
    return tones.reduce(
      (result, [name, changed]) => choose(isOp(name), changed, result),
      choose(isGeometric, moved, images),
    );
  });
}

/**
 * `[n, 8]`: one matrix per image for the five moves. `amount` is 0 for the moves that were not drawn, so the sum of the
 * five contains only the drawn one.
 */
function drawnMatrices(
  shape: readonly number[],
  amount: (name: RandAugmentOp, most: number) => tf.Tensor,
): tf.Tensor2D {
  const identity = tf.tensor2d([[1, 0, 0, 0, 1, 0, 0, 0]]);
  const shear = shearMatrices(amount("shear-x", 0.3), amount("shear-y", 0.3));
  const shift = translationMatrices(shape, amount("translate-y", 150 / 331), amount("translate-x", 150 / 331));
  const turn = rotationMatrices(shape, amount("rotate", 30 / 360));
  return tf.add(tf.add(tf.sub(shear, identity), tf.sub(shift, identity)), turn);
}
