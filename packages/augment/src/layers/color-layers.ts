import * as tf from "@tensorflow/tfjs-core";
import { tidied } from "../augmentation.ts";
import { adjustContrast, adjustHue, adjustSaturation } from "../color/adjust-color.ts";
import { randomBrightness, saturationFactors } from "../color/random-color.ts";
import { AugmentationLayer } from "./augmentation-layer.ts";
import { checkLayerArgs, kerasRange, valueRangeOf } from "./keras-arguments.ts";
import type { KerasFactor, RandomLayerArgs } from "./keras-arguments.ts";

export interface ColorLayerArgs extends RandomLayerArgs {
  readonly factor: KerasFactor;
  /** The smallest and the largest value of a pixel; 0 and 255 by default. */
  readonly valueRange?: readonly number[] | null | undefined;
}

const names = { factor: true, valueRange: true } as const;

/** Keras' RandomBrightness: adds a share of the range, drawn from `factor`, and clips. */
export class RandomBrightness extends AugmentationLayer {
  static readonly className = "RandomBrightness";

  constructor(args: ColorLayerArgs) {
    checkLayerArgs("RandomBrightness", args, names);
    const { factor: given, valueRange: _, ...base } = args;
    const factor = kerasRange("RandomBrightness", given, "around zero", [-1, 1]);
    const range = valueRangeOf("RandomBrightness", args.valueRange);
    super(base, { factor, valueRange: range }, randomBrightness(factor, { range }));
  }
}

/**
 * Keras' RandomContrast: multiplies the distance from the mean of each channel by a number from `1 - factor[0]` to `1 +
 * factor[1]`, and clips. One number f means `[f, f]`, as in Keras' documentation; Keras' code reads it as `[0, f]`.
 */
export class RandomContrast extends AugmentationLayer {
  static readonly className = "RandomContrast";

  constructor(args: ColorLayerArgs) {
    checkLayerArgs("RandomContrast", args, names);
    const { factor: given, valueRange: _, ...base } = args;
    const [lower, upper] = kerasRange("RandomContrast", given, "both bounds", [-1, 1]);
    // Keras has no negative factors; older versions of convkit wrote [-a, b] for 1 - a to 1 + b.
    const factor = [Math.abs(lower), upper] as const;
    const range = valueRangeOf("RandomContrast", args.valueRange);
    const augment = tidied((images, random) =>
      adjustContrast(images, random.uniform([images.shape[0]], 1 - factor[0], 1 + factor[1]), { range }),
    );
    super(base, { factor, valueRange: range }, augment);
  }
}

/** Keras' RandomHue: changes the hue by half a turn times a number drawn from `factor`, in a random direction. */
export class RandomHue extends AugmentationLayer {
  static readonly className = "RandomHue";

  constructor(args: ColorLayerArgs) {
    checkLayerArgs("RandomHue", args, names);
    const { factor: given, valueRange: _, ...base } = args;
    const factor = kerasRange("RandomHue", given, "from zero", [-1, 1]);
    const range = valueRangeOf("RandomHue", args.valueRange);
    const augment = tidied((images, random) => {
      const n = images.shape[0];
      const sign = tf.where(tf.greater(random.uniform([n], 0, 1), 0.5), tf.scalar(-1), tf.scalar(1));
      return adjustHue(images, tf.mul(sign, random.uniform([n], factor[0] / 2, factor[1] / 2)), { range });
    });
    super(base, { factor, valueRange: range }, augment);
  }
}

/**
 * Keras' RandomSaturation: multiplies the saturation by f / (1 - f), with f drawn from `factor`. 0 gives gray, 0.5
 * leaves the image unchanged. One number f means `[0, f]`, as in Keras' documentation; Keras' code reads it as `[-f,
 * f]`, where all negative values give gray.
 */
export class RandomSaturation extends AugmentationLayer {
  static readonly className = "RandomSaturation";

  constructor(args: ColorLayerArgs) {
    checkLayerArgs("RandomSaturation", args, names);
    const { factor: given, valueRange: _, ...base } = args;
    const factor = kerasRange("RandomSaturation", given, "from zero", [-1, 1]);
    const range = valueRangeOf("RandomSaturation", args.valueRange);
    const augment = tidied((images, random) =>
      adjustSaturation(images, saturationFactors(random.uniform([images.shape[0]], ...factor)), { range }),
    );
    super(base, { factor, valueRange: range }, augment);
  }
}
