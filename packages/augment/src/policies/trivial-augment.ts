import { checkOptions } from "@convkit/errors";
import { tidied } from "../augmentation.ts";
import * as tf from "@tensorflow/tfjs-core";
import type { Augmentation } from "../augmentation.ts";
import { applyChanges, bytesOf } from "../pillow/apply-changes.ts";
import { linspace, noChange, roundHalfEven } from "../pillow/change.ts";
import type { Change, PillowOp } from "../pillow/change.ts";
import { checkedFill, checkedWhole, drawIndex } from "./draws.ts";

export interface TrivialAugmentOptions {
  /** The number of strengths of each change, at least 2; 31 by default. */
  readonly levels?: number | undefined;
  /** The value of pixels from outside the image; 0 by default. */
  readonly fillValue?: number | undefined;
}

/**
 * Makes one change to each image of 0..255: op, strength and direction are drawn. Müller & Hutter 2021, TrivialAugment,
 * https://arxiv.org/abs/2103.10158, with its wide strengths; torchvision's TrivialAugmentWide on Pillow's images, to the
 * byte. Values that are no whole numbers are rounded first.
 */
export function trivialAugment(options: TrivialAugmentOptions = {}): Augmentation {
  checkOptions("trivialAugment", options, { levels: true, fillValue: true });
  const { levels = 31, fillValue = 0 } = options;
  checkedWhole("trivialAugment", "levels", levels, [2, Infinity]);
  checkedFill("trivialAugment", fillValue);
  const ops = wideOps(levels);
  const changes = ops.flatMap(([, rows]) => rows);
  return tidied((images, random) => {
    const n = images.shape[0];
    const op = drawIndex(random, n, ops.length);
    const level = drawIndex(random, n, levels);
    const direction = drawIndex(random, n, 2);
    const row = tf.add(tf.mul(tf.add(tf.mul(op, int(levels)), level), int(2)), direction);
    return applyChanges(bytesOf(images), changes, row, fillValue);
  });
}

function int(value: number): tf.Scalar {
  return tf.scalar(value, "int32");
}

/** Each op with two rows, of both directions, for each strength. */
function wideOps(levels: number): readonly (readonly [PillowOp, readonly Change[]])[] {
  const signed = (op: PillowOp, last: number) =>
    [
      op,
      linspace(0, last, levels).flatMap((magnitude) => [
        { op, magnitude },
        { op, magnitude: -magnitude },
      ]),
    ] as const;
  const unsigned = (op: PillowOp, magnitudes: readonly number[]) =>
    [op, magnitudes.flatMap((magnitude) => Array<Change>(2).fill({ op, magnitude }))] as const;
  const none = Array<number>(levels).fill(0);
  const bits = none.map((_, level) => 8 - roundHalfEven(level / ((levels - 1) / 6)));
  return [
    ["identity", Array<Change>(2 * levels).fill(noChange)],
    signed("shear-x", 0.99),
    signed("shear-y", 0.99),
    signed("translate-x", 32),
    signed("translate-y", 32),
    signed("rotate", 135),
    signed("brightness", 0.99),
    signed("color", 0.99),
    signed("contrast", 0.99),
    signed("sharpness", 0.99),
    unsigned("posterize", bits),
    unsigned("solarize", linspace(255, 0, levels)),
    unsigned("auto-contrast", none),
    unsigned("equalize", none),
  ];
}
