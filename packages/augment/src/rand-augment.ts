import * as tf from "@tensorflow/tfjs-core";
import { DataError } from "../data-error.ts";
import { affineTransform, rotationMatrices, shearMatrices, translationMatrices } from "./affine.ts";
import { choose, perImage, tidied } from "./augmentation.ts";
import type { Augmentation } from "./augmentation.ts";
import { autoContrast, brighten, colour, contrast, equalize, posterize, sharpen, solarize } from "./tone.ts";

export interface RandAugmentOptions {
  /** Changes made to each image, one after the other. */
  count?: number | undefined;
  /** How strong they are, 0 to 10. */
  magnitude?: number | undefined;
  /** What comes into view from outside. */
  fillValue?: number | undefined;
}

/** The paper's changes, in the order that the draw numbers them. */
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

/**
 * Makes `count` changes of the paper's fourteen to each image of 0..255; which ones, and in which direction, each image draws.
 * At magnitude 10: shear 0.3, shift 150/331 of a side, 30 degrees, colours by 0.9, 4 bits. Cubuk et al. 2019, RandAugment,
 * https://arxiv.org/abs/1909.13719; ranges as torchvision's.
 */
export function randAugment({ count = 2, magnitude = 9, fillValue = 128 }: RandAugmentOptions = {}): Augmentation {
  if (!(magnitude >= 0 && magnitude <= 10)) throw new DataError(`magnitude should be from 0 to 10, not ${magnitude}`);
  if (!Number.isInteger(count) || count < 1) throw new DataError(`count should be a whole number from 1, not ${count}`);
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

/** One change an image: that of number `op` (`[n]`), towards `sign` (`[n]`, 1 or -1). */
export function applyDrawn(
  images: tf.Tensor4D,
  op: tf.Tensor,
  sign: tf.Tensor,
  {
    magnitude,
    fillValue,
  }: Required<Pick<RandAugmentOptions, "magnitude" | "fillValue">> & { magnitude: number; fillValue: number },
): tf.Tensor4D {
  return tf.tidy(() => {
    const strength = magnitude / 10;
    const isOp = (name: (typeof randAugmentOps)[number]) => tf.equal(op, randAugmentOps.indexOf(name));
    // Zero wherever another change was drawn, so that one transformation serves all five.
    const moved = (name: (typeof randAugmentOps)[number], most: number) =>
      tf.mul(tf.mul(sign, tf.cast(isOp(name), "float32")), most * strength);
    const flat = images.shape;
    const shear = shearMatrices(moved("shear-x", 0.3), moved("shear-y", 0.3));
    const shift = translationMatrices(flat, moved("translate-y", 150 / 331), moved("translate-x", 150 / 331));
    const turn = rotationMatrices(flat, moved("rotate", 30 / 360));
    const still = tf.tensor2d([[1, 0, 0, 0, 1, 0, 0, 0]]);
    const matrices = tf.add(tf.add(tf.sub(shear, still), tf.sub(shift, still)), turn) as tf.Tensor2D;
    const geometric = affineTransform(images, matrices, { fill: "constant", fillValue });

    const factor = perImage(tf.add(1, tf.mul(sign, 0.9 * strength)));
    const bits = Math.round(4 * strength);
    const tones: [(typeof randAugmentOps)[number], tf.Tensor4D][] = [
      ["brightness", brighten(images, factor)],
      ["color", colour(images, factor)],
      ["contrast", contrast(images, factor)],
      ["sharpness", sharpen(images, factor)],
      ["posterize", posterize(images, 2 ** bits)],
      ["solarize", solarize(images, 255 * (1 - strength))],
      ["auto-contrast", autoContrast(images)],
      ["equalize", equalize(images)],
    ];
    const isGeometric = tf.logicalAnd(tf.greaterEqual(op, 1), tf.lessEqual(op, 5));
    const first = choose(isGeometric, geometric, images);
    return tones.reduce((result, [name, changed]) => choose(isOp(name), changed, result), first);
  });
}
