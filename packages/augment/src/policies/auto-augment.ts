import { checkOptions, OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { tidied } from "../augmentation.ts";
import type { Augmentation } from "../augmentation.ts";
import { applyChanges, bytesOf } from "../pillow/apply-changes.ts";
import { linspace, noChange, roundHalfEven } from "../pillow/change.ts";
import type { Change, PillowOp } from "../pillow/change.ts";
import { autoAugmentPolicies } from "./auto-augment-policies.ts";
import { checkedFill, drawIndex } from "./draws.ts";

/** The data set on which a policy of AutoAugment was found. */
export type AutoAugmentPolicy = "imagenet" | "cifar10" | "svhn";

export interface AutoAugmentOptions {
  /** `imagenet` by default. */
  readonly policy?: AutoAugmentPolicy | undefined;
  /** The value of pixels from outside the image; 0 by default. */
  readonly fillValue?: number | undefined;
}

const levels = 10;

/**
 * Draws one of the policy's 25 pairs of changes for each image of 0..255; each of the two is made with its own
 * probability. Cubuk et al. 2018, AutoAugment, https://arxiv.org/abs/1805.09501; torchvision's AutoAugment on Pillow's
 * images, to the byte. Values that are no whole numbers are rounded first.
 */
export function autoAugment(options: AutoAugmentOptions = {}): Augmentation {
  checkOptions("autoAugment", options, { policy: true, fillValue: true });
  const { policy = "imagenet", fillValue = 0 } = options;
  if (!Object.hasOwn(autoAugmentPolicies, policy)) {
    const known = Object.keys(autoAugmentPolicies).join(", ");
    throw new OptionError(`autoAugment: expected a policy of ${known}, got ${shown(policy)}.`);
  }
  checkedFill("autoAugment", fillValue);
  const pairs = autoAugmentPolicies[policy];
  return tidied((images, random) => {
    const [n, h, w] = images.shape;
    const pair = drawIndex(random, n, pairs.length);
    let changed = bytesOf(images);
    for (const place of [0, 1] as const) {
      const entries = pairs.map((each) => each[place]);
      // Row 0 changes nothing; then each pair has a row for the strength as it is and one for its negative.
      const changes = [
        noChange,
        ...entries.flatMap(([op, , level]) => {
          const { magnitude, signed } = strengthOf(op, level, [h, w]);
          return [
            { op, magnitude },
            { op, magnitude: signed ? -magnitude : magnitude },
          ];
        }),
      ] as const satisfies readonly Change[];
      const probability = tf.gather(tf.tensor1d(entries.map(([, chance]) => chance)), pair);
      const isMade = tf.lessEqual(random.uniform([n], 0, 1), probability);
      const row = tf.add(tf.add(tf.mul(pair, tf.scalar(2, "int32")), tf.scalar(1, "int32")), drawIndex(random, n, 2));
      changed = applyChanges(changed, changes, tf.mul(row, tf.cast(isMade, "int32")), fillValue);
    }
    return changed;
  });
}

/** The strength of level 0 to 9 of an op, and whether its direction is drawn, as torchvision's `_augmentation_space`. */
function strengthOf(
  op: PillowOp,
  level: number,
  [h, w]: readonly [number, number],
): { readonly magnitude: number; readonly signed: boolean } {
  const upTo = (last: number) => ({ magnitude: linspace(0, last, levels)[level]!, signed: true });
  if (op === "shear-x" || op === "shear-y") return upTo(0.3);
  if (op === "translate-x") return upTo((150 / 331) * w);
  if (op === "translate-y") return upTo((150 / 331) * h);
  if (op === "rotate") return upTo(30);
  if (op === "brightness" || op === "color" || op === "contrast" || op === "sharpness") return upTo(0.9);
  if (op === "posterize") return { magnitude: 8 - roundHalfEven(level / (9 / 4)), signed: false };
  return { magnitude: op === "solarize" ? linspace(255, 0, levels)[level]! : 0, signed: false };
}
