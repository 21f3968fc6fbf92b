import { OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { tidied } from "../augmentation.ts";
import type { Augmentation } from "../augmentation.ts";
import { affineTransform, shearMatrices } from "../geometry/affine.ts";
import { randomCrop, randomFlip, randomRotation, randomTranslation, randomZoom } from "../geometry/random-geometry.ts";
import { AugmentationLayer } from "./augmentation-layer.ts";
import { checkLayerArgs, kerasRange, moveNames, movesOf, wordOf } from "./keras-arguments.ts";
import type { KerasFactor, MoveArgs, RandomLayerArgs } from "./keras-arguments.ts";

const flipModes = ["horizontal", "vertical", "horizontal_and_vertical"] as const;

export interface RandomFlipArgs extends RandomLayerArgs {
  /** The directions in which images are mirrored; "horizontal_and_vertical" by default. */
  readonly mode?: (typeof flipModes)[number] | undefined;
}

/**
 * Keras' RandomFlip: mirrors each image with probability 1/2. "horizontal_and_vertical" draws each direction
 * separately, as in Keras 2 and in Keras' documentation; Keras 3 draws once for both.
 */
export class RandomFlip extends AugmentationLayer {
  static readonly className = "RandomFlip";

  constructor(args: RandomFlipArgs = {}) {
    checkLayerArgs("RandomFlip", args, { mode: true });
    const { mode: given = "horizontal_and_vertical", ...base } = args;
    const mode = wordOf("RandomFlip", "mode", given, flipModes);
    super(base, { mode }, randomFlip(mode === "horizontal_and_vertical" ? "both" : mode));
  }
}

export interface RandomRotationArgs extends MoveArgs {
  /** Full turns: `0.1` is up to 36 degrees in either direction. */
  readonly factor: KerasFactor;
}

/** Keras' RandomRotation. */
export class RandomRotation extends AugmentationLayer {
  static readonly className = "RandomRotation";

  constructor(args: RandomRotationArgs) {
    checkLayerArgs("RandomRotation", args, { factor: true, ...moveNames });
    const { factor: given, fillMode: _, fillValue: __, interpolation: ___, ...base } = args;
    const factor = kerasRange("RandomRotation", given, "around zero", [-1, 1]);
    const { sampling, config } = movesOf("RandomRotation", args);
    super(base, { factor, ...config }, randomRotation(factor, sampling));
  }
}

export interface RandomZoomArgs extends MoveArgs {
  /** `0.2` shows from 80 to 120 % of the height; above -1. */
  readonly heightFactor: KerasFactor;
  /** The range for the width; by default the width has the height's zoom. */
  readonly widthFactor?: KerasFactor | null | undefined;
}

/** Keras' RandomZoom. */
export class RandomZoom extends AugmentationLayer {
  static readonly className = "RandomZoom";

  constructor(args: RandomZoomArgs) {
    checkLayerArgs("RandomZoom", args, { heightFactor: true, widthFactor: true, ...moveNames });
    const { heightFactor, widthFactor = null, fillMode: _, fillValue: __, interpolation: ___, ...base } = args;
    const height = kerasRange("RandomZoom heightFactor", heightFactor, "around zero", [-0.999, 1]);
    const width =
      widthFactor === null ? undefined : kerasRange("RandomZoom widthFactor", widthFactor, "around zero", [-0.999, 1]);
    const { sampling, config } = movesOf("RandomZoom", args);
    super(
      base,
      { heightFactor: height, widthFactor: width ?? null, ...config },
      randomZoom(height, { ...sampling, width }),
    );
  }
}

export interface RandomTranslationArgs extends MoveArgs {
  /** A share of the height: `0.1` shifts by up to a tenth in either direction. */
  readonly heightFactor: KerasFactor;
  /** A share of the width. */
  readonly widthFactor: KerasFactor;
}

/** Keras' RandomTranslation. */
export class RandomTranslation extends AugmentationLayer {
  static readonly className = "RandomTranslation";

  constructor(args: RandomTranslationArgs) {
    checkLayerArgs("RandomTranslation", args, { heightFactor: true, widthFactor: true, ...moveNames });
    const { heightFactor, widthFactor, fillMode: _, fillValue: __, interpolation: ___, ...base } = args;
    const height = kerasRange("RandomTranslation heightFactor", heightFactor, "around zero", [-1, 1]);
    const width = kerasRange("RandomTranslation widthFactor", widthFactor, "around zero", [-1, 1]);
    const { sampling, config } = movesOf("RandomTranslation", args);
    super(base, { heightFactor: height, widthFactor: width, ...config }, randomTranslation(height, width, sampling));
  }
}

export interface RandomShearArgs extends MoveArgs {
  /** Shift of a row for each row below the top, in pixels: a number from 0 to 1, or a range; 0 by default. */
  readonly xFactor?: KerasFactor | undefined;
  /**
   * Shift of a column for each column right of the first, in pixels: a number from 0 to 1, or a range; 0 by default.
   */
  readonly yFactor?: KerasFactor | undefined;
}

/** Keras' RandomShear: one draw per image gives the direction of both shears. */
export class RandomShear extends AugmentationLayer {
  static readonly className = "RandomShear";

  constructor(args: RandomShearArgs = {}) {
    checkLayerArgs("RandomShear", args, { xFactor: true, yFactor: true, ...moveNames });
    const { xFactor = 0, yFactor = 0, fillMode: _, fillValue: __, interpolation: ___, ...base } = args;
    const x = kerasRange("RandomShear xFactor", xFactor, "around zero", [-1, 1]);
    const y = kerasRange("RandomShear yFactor", yFactor, "around zero", [-1, 1]);
    const { sampling, config } = movesOf("RandomShear", args);
    const augment = tidied((images, random) => {
      const n = images.shape[0];
      const sign = tf.where(tf.greater(random.uniform([n], 0, 1), 0.5), tf.scalar(-1), tf.scalar(1));
      const draw = (range: readonly [number, number]) => tf.mul(random.uniform([n], ...range), sign);
      const down = draw(y);
      return affineTransform(images, shearMatrices(draw(x), down), sampling);
    });
    super(base, { xFactor: writtenShear(x), yFactor: writtenShear(y), ...config }, augment);
  }
}

/** Keras writes the range of one number f as [-f, f], which it then refuses to read. It reads f itself. */
function writtenShear([from, to]: readonly [number, number]): number | readonly [number, number] {
  return from === -to ? to : [from, to];
}

export interface RandomCropArgs extends RandomLayerArgs {
  readonly height: number;
  readonly width: number;
}

/**
 * Keras' RandomCrop, `[n, h, w, c] -> [n, height, width, c]`. In training the position is drawn for each image (Keras
 * draws one for the batch). In prediction, and for images that are too small, it resizes the largest centered window
 * with the right aspect ratio, as in Keras 2 and in Keras' documentation; Keras 3 returns the image uncropped.
 */
export class RandomCrop extends AugmentationLayer {
  static readonly className = "RandomCrop";
  readonly #size: readonly [height: number, width: number];

  constructor(args: RandomCropArgs) {
    checkLayerArgs("RandomCrop", args, { height: true, width: true });
    const { height, width, ...base } = args;
    for (const side of [height, width]) {
      if (Number.isInteger(side) && side >= 1) continue;
      throw new OptionError(`RandomCrop: expected whole numbers from 1 as height and width, got ${shown(side)}.`);
    }
    super(base, { height, width }, cropOrResize(height, width));
    this.#size = [height, width];
  }

  override computeOutputShape([n, , , c]: (number | null)[]): (number | null)[] {
    return [n!, ...this.#size, c!];
  }

  protected override unchanged(images: tf.Tensor4D): tf.Tensor4D {
    return tf.tidy(() => resizedMiddle(tf.cast(images, "float32"), this.#size));
  }
}

function cropOrResize(height: number, width: number): Augmentation {
  const crop = randomCrop(height, width);
  return tidied((images, random) => {
    const [, h, w] = images.shape;
    return h >= height && w >= width ? crop(images, random) : resizedMiddle(images, [height, width]);
  });
}

/** The largest centered window with the aspect ratio of `size`, resized to `size`: Keras' smart_resize. */
function resizedMiddle(images: tf.Tensor4D, [height, width]: readonly [number, number]): tf.Tensor4D {
  const [n, h, w, c] = images.shape;
  const rows = Math.max(1, Math.min(h, Math.trunc((w * height) / width)));
  const columns = Math.max(1, Math.min(w, Math.trunc((h * width) / height)));
  const top = Math.trunc((h - rows) / 2);
  const left = Math.trunc((w - columns) / 2);
  const middle = tf.slice(images, [0, top, left, 0], [n, rows, columns, c]);
  return rows === height && columns === width
    ? tf.clone(middle)
    : tf.image.resizeBilinear(middle, [height, width], false, true);
}
