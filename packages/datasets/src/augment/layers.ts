import * as tf from "@tensorflow/tfjs-core";
import { layers } from "@tensorflow/tfjs-layers";
import type { FillMode } from "./affine.ts";
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

type BaseArgs = NonNullable<ConstructorParameters<typeof layers.Layer>[0]>;

/** Augments while training and passes images on otherwise; has no weights and is saved with its model. */
abstract class AugmentationLayer<Args extends object> extends layers.Layer {
  readonly #own: Args;
  readonly #augment: Augmentation;

  constructor(args: Args & BaseArgs, keys: readonly (keyof Args)[]) {
    super(args);
    this.#own = Object.fromEntries(keys.flatMap((key) => (args[key] == null ? [] : [[key, args[key]]]))) as Args;
    // A wrong argument is to fail here, not in the first step.
    this.#augment = this.augmentation(this.#own);
  }

  protected abstract augmentation(args: Args): Augmentation;

  override computeOutputShape(inputShape: (number | null)[]): (number | null)[] {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training = false }: { training?: boolean }): tf.Tensor {
    const images = (Array.isArray(inputs) ? inputs[0]! : inputs) as tf.Tensor4D;
    return training ? this.#augment(images) : this.still(images);
  }

  /** What comes out when nothing is drawn. */
  protected still(images: tf.Tensor4D): tf.Tensor4D {
    return tf.clone(images);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...(this.#own as tf.serialization.ConfigDict) };
  }
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

/** Keras' RandomBrightness. */
export class RandomBrightness extends AugmentationLayer<ColourArgs> {
  static readonly className = "RandomBrightness";

  constructor(args: ColourArgs & BaseArgs) {
    super(args, ["factor", "valueRange"]);
  }

  protected override augmentation({ factor, valueRange }: ColourArgs): Augmentation {
    return randomBrightness(factor, { range: valueRange });
  }
}

/** Keras' RandomContrast. */
export class RandomContrast extends AugmentationLayer<ColourArgs> {
  static readonly className = "RandomContrast";

  constructor(args: ColourArgs & BaseArgs) {
    super(args, ["factor", "valueRange"]);
  }

  protected override augmentation({ factor, valueRange }: ColourArgs): Augmentation {
    return randomContrast(factor, { range: valueRange });
  }
}

/** Keras' RandomHue. */
export class RandomHue extends AugmentationLayer<ColourArgs> {
  static readonly className = "RandomHue";

  constructor(args: ColourArgs & BaseArgs) {
    super(args, ["factor", "valueRange"]);
  }

  protected override augmentation({ factor, valueRange }: ColourArgs): Augmentation {
    return randomHue(factor, { range: valueRange });
  }
}

/** Keras' RandomSaturation. */
export class RandomSaturation extends AugmentationLayer<ColourArgs> {
  static readonly className = "RandomSaturation";

  constructor(args: ColourArgs & BaseArgs) {
    super(args, ["factor", "valueRange"]);
  }

  protected override augmentation({ factor, valueRange }: ColourArgs): Augmentation {
    return randomSaturation(typeof factor === "number" ? [0, factor] : factor, { range: valueRange });
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
