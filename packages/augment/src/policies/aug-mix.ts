import { checkOptions, OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { perImage, tidied } from "../augmentation.ts";
import type { Augmentation } from "../augmentation.ts";
import { applyChanges, bytesOf } from "../pillow/apply-changes.ts";
import { linspace, noChange, roundHalfEven } from "../pillow/change.ts";
import type { Change, PillowOp } from "../pillow/change.ts";
import type { RandomSource } from "../random/random-source.ts";
import { checkedFill, checkedWhole, drawIndex } from "./draws.ts";

export interface AugMixOptions {
  /** The strongest of ten strengths of a change, 1 to 10; 3 by default. */
  readonly severity?: number | undefined;
  /** The number of chains that are mixed; 3 by default. */
  readonly width?: number | undefined;
  /** Changes of a chain; by default 1 to 3, drawn for each chain. */
  readonly depth?: number | undefined;
  /**
   * Whether brightness, color, contrast and sharpness are among the changes; true by default, as in torchvision. The
   * paper leaves them out, since ImageNet-C tests them.
   */
  readonly allOps?: boolean | undefined;
  /** The value of pixels from outside the image; 0 by default. */
  readonly fillValue?: number | undefined;
}

const strengths = 10;

/**
 * Mixes each image of 0..255 with chains of random changes of it. The shares of the chains and of the image itself are
 * drawn evenly (Dirichlet and Beta with alpha 1). Hendrycks et al. 2019, AugMix, https://arxiv.org/abs/1912.02781;
 * torchvision's AugMix with Pillow's changes. Values that are no whole numbers are rounded first.
 */
export function augMix(options: AugMixOptions = {}): Augmentation {
  checkOptions("augMix", options, { severity: true, width: true, depth: true, allOps: true, fillValue: true });
  const { severity = 3, width = 3, depth, allOps = true, fillValue = 0 } = options;
  checkedWhole("augMix", "severity", severity, [1, strengths]);
  checkedWhole("augMix", "width", width, [1, Infinity]);
  if (depth !== undefined) checkedWhole("augMix", "depth", depth, [1, Infinity]);
  if (typeof allOps !== "boolean")
    throw new OptionError(`augMix: expected true or false as allOps, got ${shown(allOps)}.`);
  checkedFill("augMix", fillValue);
  return tidied((images, random) => {
    const [n, h, w] = images.shape;
    const bytes = bytesOf(images);
    const changes = [noChange, ...mixedOps([h, w], severity, allOps).flat()];
    const own = random.uniform([n], 0, 1);
    const shares = evenShares(random, n, width);
    let mixed: tf.Tensor = tf.mul(perImage(own), bytes);
    for (const share of shares) {
      const steps = depth === undefined ? tf.add(drawIndex(random, n, 3), tf.scalar(1, "int32")) : undefined;
      let changed = bytes;
      for (let step = 0; step < (depth ?? 3); step++) {
        const row = drawIndex(random, n, changes.length - 1);
        const isMade =
          steps === undefined ? tf.onesLike(row) : tf.cast(tf.greater(steps, tf.scalar(step, "int32")), "int32");
        changed = applyChanges(changed, changes, tf.mul(tf.add(row, tf.scalar(1, "int32")), isMade), fillValue);
      }
      mixed = tf.add(mixed, tf.mul(perImage(tf.mul(share, tf.sub(1, own))), changed));
    }
    return tf.floor(tf.clipByValue(mixed, 0, 255)) as tf.Tensor4D;
  });
}

/** `count` shares of each image that sum to 1, drawn evenly: Dirichlet(1, …, 1), by exponential numbers. */
function evenShares(random: RandomSource, n: number, count: number): tf.Tensor[] {
  // 1 - u is never 0, since u is below 1; where a draw rounds up to 1, the least positive number stands for it.
  const waits = Array.from({ length: count }, () =>
    tf.neg(tf.log(tf.maximum(tf.sub(1, random.uniform([n], 0, 1)), 1e-7))),
  );
  const sum = tf.maximum(tf.addN(waits), 1e-20);
  return waits.map((each) => tf.div(each, sum));
}

/** Rows of equal probability for each op: a strength below `severity` in both directions. */
function mixedOps(
  [h, w]: readonly [number, number],
  severity: number,
  allOps: boolean,
): readonly (readonly Change[])[] {
  const rows = (op: PillowOp, magnitudes: readonly number[], signed: boolean) =>
    magnitudes.slice(0, severity).flatMap((magnitude) => [
      { op, magnitude },
      { op, magnitude: signed ? -magnitude : magnitude },
    ]);
  const signed = (op: PillowOp, last: number) => rows(op, linspace(0, last, strengths), true);
  const none = Array<number>(strengths).fill(0);
  return [
    signed("shear-x", 0.3),
    signed("shear-y", 0.3),
    signed("translate-x", w / 3),
    signed("translate-y", h / 3),
    signed("rotate", 30),
    rows(
      "posterize",
      none.map((_, level) => 4 - roundHalfEven(level / (9 / 4))),
      false,
    ),
    rows("solarize", linspace(255, 0, strengths), false),
    rows("auto-contrast", none, false),
    rows("equalize", none, false),
    ...(allOps ? (["brightness", "color", "contrast", "sharpness"] as const).map((op) => signed(op, 0.9)) : []),
  ];
}
