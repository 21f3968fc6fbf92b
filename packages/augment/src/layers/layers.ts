import * as tf from "@tensorflow/tfjs-core";
import type { layers } from "@tensorflow/tfjs-layers";
import type { FillMode } from "./affine.ts";
import { AugmentationLayer } from "./augmentation-layer.ts";
import type { BaseArgs } from "./augmentation-layer.ts";
import type { Augmentation, Factor, ValueRange } from "./augmentation.ts";
import { randomBrightness, randomContrast, randomHue, randomSaturation } from "./colour.ts";
import { randomErasing } from "./erase.ts";
import { randomCrop, randomFlip, randomRotation, randomTranslation, randomZoom } from "./geometric.ts";
import { randAugment } from "./rand-augment.ts";

/** The arguments that Keras' layers of these names have (camelCase here, snake_case in its JSON, which tfjs turns). */
interface MoveArgs {
  fillMode?: FillMode;
  fillValue?: number;
  interpolation?: "bilinear" | "nearest";
}

interface RangeArgs {
  valueRange?: ValueRange;
}

const moving = ({ fillMode, fillValue, interpolation }: MoveArgs) => ({ fill: fillMode, fillValue, interpolation });
const moveKeys = ["fillMode", "fillValue", "interpolation"] as const;

export interface RandomFlipArgs {
  mode?: "horizontal" | "vertical" | "horizontal_and_vertical";
}

/** Keras' RandomFlip. */
export class RandomFlip extends AugmentationLayer<RandomFlipArgs> {
  static readonly className = "RandomFlip";

  constructor(args: RandomFlipArgs & BaseArgs = {}) {
    super(args, ["mode"]);
  }

  protected override augmentation({ mode = "horizontal_and_vertical" }: RandomFlipArgs): Augmentation {
    return randomFlip(mode === "horizontal_and_vertical" ? "both" : mode);
  }
}

export interface RandomRotationArgs extends MoveArgs {
  factor: Factor;
}

/** Keras' RandomRotation. */
export class RandomRotation extends AugmentationLayer<RandomRotationArgs> {
  static readonly className = "RandomRotation";

  constructor(args: RandomRotationArgs & BaseArgs) {
    super(args, ["factor", ...moveKeys]);
  }

  protected override augmentation(args: RandomRotationArgs): Augmentation {
    return randomRotation(args.factor, moving(args));
  }
}

export interface RandomZoomArgs extends MoveArgs {
  heightFactor: Factor;
  widthFactor?: Factor;
}

/** Keras' RandomZoom. */
export class RandomZoom extends AugmentationLayer<RandomZoomArgs> {
  static readonly className = "RandomZoom";

  constructor(args: RandomZoomArgs & BaseArgs) {
    super(args, ["heightFactor", "widthFactor", ...moveKeys]);
  }

  protected override augmentation(args: RandomZoomArgs): Augmentation {
    return randomZoom(args.heightFactor, { ...moving(args), width: args.widthFactor });
  }
}

export interface RandomTranslationArgs extends MoveArgs {
  heightFactor: Factor;
  widthFactor: Factor;
}

/** Keras' RandomTranslation. */
export class RandomTranslation extends AugmentationLayer<RandomTranslationArgs> {
  static readonly className = "RandomTranslation";

  constructor(args: RandomTranslationArgs & BaseArgs) {
    super(args, ["heightFactor", "widthFactor", ...moveKeys]);
  }

  protected override augmentation(args: RandomTranslationArgs): Augmentation {
    return randomTranslation(args.heightFactor, args.widthFactor, moving(args));
  }
}

export interface RandomCropArgs {
  height: number;
  width: number;
}

/** Keras' RandomCrop, but each image draws its own place. Outside of training it takes the middle. */
export class RandomCrop extends AugmentationLayer<RandomCropArgs> {
  static readonly className = "RandomCrop";
  readonly #size: readonly [height: number, width: number];

  constructor(args: RandomCropArgs & BaseArgs) {
    super(args, ["height", "width"]);
    this.#size = [args.height, args.width];
  }

  protected override augmentation({ height, width }: RandomCropArgs): Augmentation {
    return randomCrop(height, width);
  }

  override computeOutputShape([n, , , c]: (number | null)[]): (number | null)[] {
    return [n!, ...this.#size, c!];
  }

  protected override still(images: tf.Tensor4D): tf.Tensor4D {
    const [n, h, w, c] = images.shape;
    const [height, width] = this.#size;
    return tf.slice(images, [0, Math.floor((h - height) / 2), Math.floor((w - width) / 2), 0], [n, height, width, c]);
  }
}

export interface ColourArgs extends RangeArgs {
  factor: Factor;
}

abstract class ColourLayer extends AugmentationLayer<ColourArgs> {
  constructor(args: ColourArgs & BaseArgs) {
    super(args, ["factor", "valueRange"]);
  }
}

/** Keras' RandomBrightness. */
export class RandomBrightness extends ColourLayer {
  static readonly className = "RandomBrightness";

  protected override augmentation({ factor, valueRange: range }: ColourArgs): Augmentation {
    return randomBrightness(factor, { range });
  }
}

/** Keras' RandomContrast. */
export class RandomContrast extends ColourLayer {
  static readonly className = "RandomContrast";

  protected override augmentation({ factor, valueRange: range }: ColourArgs): Augmentation {
    return randomContrast(factor, { range });
  }
}

/** Keras' RandomHue. */
export class RandomHue extends ColourLayer {
  static readonly className = "RandomHue";

  protected override augmentation({ factor, valueRange: range }: ColourArgs): Augmentation {
    return randomHue(factor, { range });
  }
}

/** Keras' RandomSaturation. */
export class RandomSaturation extends ColourLayer {
  static readonly className = "RandomSaturation";

  protected override augmentation({ factor, valueRange: range }: ColourArgs): Augmentation {
    return randomSaturation(typeof factor === "number" ? [0, factor] : factor, { range });
  }
}

export interface RandomErasingArgs extends RangeArgs {
  /** The part of the images that are erased. */
  factor?: number;
  scale?: readonly [number, number];
  fillValue?: number;
}

/** Keras' RandomErasing. */
export class RandomErasing extends AugmentationLayer<RandomErasingArgs> {
  static readonly className = "RandomErasing";

  constructor(args: RandomErasingArgs & BaseArgs = {}) {
    super(args, ["factor", "scale", "fillValue", "valueRange"]);
  }

  protected override augmentation({ factor = 1, scale, fillValue, valueRange }: RandomErasingArgs): Augmentation {
    return randomErasing({ probability: factor, scale, fillValue, range: valueRange });
  }
}

export interface RandAugmentArgs {
  numOps?: number;
  /** 0 to 1: a tenth of the paper's magnitude. */
  factor?: number;
}

/** The paper's RandAugment under the name of Keras' layer; the changes are those of `randAugment`. */
export class RandAugment extends AugmentationLayer<RandAugmentArgs> {
  static readonly className = "RandAugment";

  constructor(args: RandAugmentArgs & BaseArgs = {}) {
    super(args, ["numOps", "factor"]);
  }

  protected override augmentation({ numOps = 2, factor = 0.5 }: RandAugmentArgs): Augmentation {
    return randAugment({ count: numOps, magnitude: 10 * factor });
  }
}

/** Lets `loadLayersModel` read models with these layers. */
export function registerAugmentationLayers(): void {
  const classes = [
    RandomFlip,
    RandomRotation,
    RandomZoom,
    RandomTranslation,
    RandomCrop,
    RandomBrightness,
    RandomContrast,
    RandomHue,
    RandomSaturation,
    RandomErasing,
    RandAugment,
  ];
  for (const each of classes)
    tf.serialization.registerClass(each as unknown as tf.serialization.SerializableConstructor<layers.Layer>);
}
