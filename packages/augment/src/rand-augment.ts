import { checkOptions, OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { choose, perImage, tidied } from "./augmentation.ts";
import type { Augmentation } from "./augmentation.ts";
import { autoContrast, brighten, contrast, equalize, posterize, saturate, sharpen, solarize } from "./color/tone.ts";
import type { RandomSource } from "./random/random-source.ts";
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
  const { count, magnitude, fillValue } = checkedOptions(options);
  return tidied((images, random) => {
    let changed = images;
    for (let round = 0; round < count; round++) {
      const { op, sign } = drawChange(images.shape[0], random);
      changed = applyDrawn(changed, op, sign, { magnitude, fillValue });
    }
    return changed;
  });
}

/** The moves of `randAugment` with the same draws, for masks: each pixel takes its nearest one, `outside` from outside. */
export function randMoves(options: RandAugmentOptions, outside: number): Augmentation {
  const { count, magnitude } = checkedOptions(options);
  return tidied((masks, random) => {
    let moved = masks;
    for (let round = 0; round < count; round++) {
      const { op, sign } = drawChange(masks.shape[0], random);
      const matrices = drawnMatrices(masks.shape, op, sign, magnitude);
      moved = affineTransform(moved, matrices, { fill: "constant", fillValue: outside, interpolation: "nearest" });
    }
    return moved;
  });
}

function checkedOptions(options: RandAugmentOptions): { count: number; magnitude: number; fillValue: number } {
  checkOptions("randAugment", options, { count: true, magnitude: true, fillValue: true });
  const { count = 2, magnitude = 9, fillValue = 128 } = options;
  if (!(magnitude >= 0 && magnitude <= 10)) {
    throw new OptionError(`randAugment: expected a magnitude from 0 to 10, got ${shown(magnitude)}.`);
  }
  if (!Number.isInteger(count) || count < 1) {
    throw new OptionError(`randAugment: expected a whole number from 1 as count, got ${shown(count)}.`);
  }
  return { count, magnitude, fillValue };
}

/** The number of a change and its direction, 1 or -1, for each of `n` images. */
function drawChange(n: number, random: RandomSource): { op: tf.Tensor; sign: tf.Tensor } {
  const op = tf.floor(random.uniform([n], 0, randAugmentOps.length));
  const sign = tf.sub(tf.mul(tf.cast(tf.less(random.uniform([n], 0, 1), 0.5), "float32"), 2), 1);
  return { op, sign };
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
    const matrices = drawnMatrices(images.shape, op, sign, magnitude);
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
 * `[n, 8]`: one matrix per image for the five moves. The amount is 0 for the moves that were not drawn, so the sum of the
 * five contains only the drawn one.
 */
function drawnMatrices(shape: readonly number[], op: tf.Tensor, sign: tf.Tensor, magnitude: number): tf.Tensor2D {
  const amount = (name: RandAugmentOp, most: number): tf.Tensor => {
    const isDrawn = tf.cast(tf.equal(op, randAugmentOps.indexOf(name)), "float32");
    return tf.mul(tf.mul(sign, isDrawn), most * (magnitude / 10));
  };
  const identity = tf.tensor2d([[1, 0, 0, 0, 1, 0, 0, 0]]);
  const shear = shearMatrices(amount("shear-x", 0.3), amount("shear-y", 0.3));
  const shift = translationMatrices(shape, amount("translate-y", 150 / 331), amount("translate-x", 150 / 331));
  const turn = rotationMatrices(shape, amount("rotate", 30 / 360));
  return tf.add(tf.add(tf.sub(shear, identity), tf.sub(shift, identity)), turn);
}
