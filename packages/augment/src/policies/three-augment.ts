import { checkOptions, OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { choose, perImage, tidied } from "../augmentation.ts";
import type { Augmentation } from "../augmentation.ts";
import { applyChanges, blendBytes, bytesOf, meanLevels, saturatePillow } from "../pillow/apply-changes.ts";
import { noChange } from "../pillow/change.ts";
import { gaussianBlur } from "../pillow/gaussian-blur.ts";
import type { RandomSource } from "../random/random-source.ts";
import { drawIndex } from "./draws.ts";

export interface ThreeAugmentOptions {
  /**
   * Then changes brightness, contrast and saturation, in a drawn order, each by a factor from 1 - jitter to 1 + jitter:
   * torchvision's ColorJitter on Pillow's images. 0.3 by default, as in DeiT III; 0 for none.
   */
  readonly jitter?: number | undefined;
}

/** The radii of the blur: 0.1 to 2 in steps of a thousandth. */
const radii = Array.from({ length: 1901 }, (_, i) => (100 + i) / 1000);

/** What each image gets: gray, the bright half inverted, or a blur. */
const changes = [
  { op: "solarize", magnitude: 128 },
  { op: "color", magnitude: -1 },
  noChange, // the blur
] as const;

const orders = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;

/**
 * Makes each image of 0..255 gray, inverts its values from 128, or blurs it (radius 0.1 to 2), then jitters its colors.
 * Touvron et al. 2022, DeiT III, https://arxiv.org/abs/2204.07118, section 3.3; timm's `3a` with Pillow's bytes. Values that are
 * no whole numbers are rounded first.
 */
export function threeAugment(options: ThreeAugmentOptions = {}): Augmentation {
  checkOptions("threeAugment", options, { jitter: true });
  const { jitter = 0.3 } = options;
  if (!(jitter >= 0 && jitter <= 1)) {
    throw new OptionError(`threeAugment: expected a jitter from 0 to 1, got ${shown(jitter)}.`);
  }
  return tidied((images, random) => {
    const n = images.shape[0];
    const bytes = bytesOf(images);
    const chosen = drawIndex(random, n, changes.length);
    const blurred = gaussianBlur(bytes, radii, drawIndex(random, n, radii.length));
    const isBlurred = tf.equal(chosen, tf.scalar(2, "int32"));
    const changed = choose(isBlurred, blurred, applyChanges(bytes, changes, chosen));
    return jitter === 0 ? changed : jittered(changed, jitter, random);
  });
}

function jittered(images: tf.Tensor4D, jitter: number, random: RandomSource): tf.Tensor4D {
  const n = images.shape[0];
  const order = drawIndex(random, n, orders.length);
  const factor = () => random.uniform([n], 1 - jitter, 1 + jitter);
  const factors = [factor(), factor(), factor()] as const;
  let changed = images;
  for (const place of [0, 1, 2] as const) {
    const kind = tf.gather(
      tf.tensor1d(
        orders.map((each) => each[place]),
        "int32",
      ),
      order,
    );
    const is = (which: number) => tf.equal(kind, tf.scalar(which, "int32"));
    const mean = tf.reshape(meanLevels(changed), [n, 1, 1, images.shape[3]]);
    const bright = blendBytes(tf.zerosLike(changed), changed, perImage(factors[0]));
    const contrasted = blendBytes(mean, changed, perImage(factors[1]));
    const saturated = saturatePillow(changed, factors[2]);
    changed = choose(is(0), bright, choose(is(1), contrasted, saturated));
  }
  return changed;
}
