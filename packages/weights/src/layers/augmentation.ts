import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { one } from "./base-layers.ts";
import type { BaseArgs, Config, Inputs } from "./base-layers.ts";

/** What one of Keras' random layers does to an image, in Keras' own units: fractions of the side, of a full turn, of the range. */
export interface Augmentation {
  readonly flip?: "horizontal" | "vertical" | "horizontal_and_vertical";
  readonly rotation?: readonly [number, number];
  readonly height?: readonly [number, number];
  readonly width?: readonly [number, number];
  /** Whether height and width scale (zoom) or shift (translation) the image. */
  readonly moves?: "zoom" | "translation";
  readonly contrast?: readonly [number, number];
  readonly brightness?: readonly [number, number];
  readonly fill?: "constant" | "nearest" | "reflect" | "wrap";
}

/** Keras' RandomFlip, RandomRotation, RandomZoom, RandomTranslation, RandomContrast, RandomBrightness: identity outside training. */
export class RandomAugmentation extends tfl.layers.Layer {
  static className = "RandomAugmentation";
  readonly augmentation: Augmentation;

  constructor({ augmentation, ...base }: BaseArgs & { augmentation: Augmentation }) {
    super(base);
    this.augmentation = augmentation;
  }

  override call(inputs: Inputs, options: { training?: boolean }): tf.Tensor {
    const x = one(inputs) as tf.Tensor4D;
    if (options.training !== true) return x;
    return tf.tidy(() => recoloured(moved(x, this.augmentation), this.augmentation));
  }

  override getConfig(): Config {
    return { ...super.getConfig(), augmentation: { ...this.augmentation } as never };
  }
}

/** A random layer of Keras whose work in training is not known here: identity in prediction, an error in training. */
export class KerasOnlyAugmentation extends tfl.layers.Layer {
  static className = "KerasOnlyAugmentation";
  readonly kerasClass: string;
  readonly kerasConfig: Record<string, unknown>;

  constructor({
    kerasClass,
    kerasConfig,
    ...base
  }: BaseArgs & { kerasClass: string; kerasConfig: Record<string, unknown> }) {
    super(base);
    this.kerasClass = kerasClass;
    this.kerasConfig = kerasConfig;
  }

  override call(inputs: Inputs, options: { training?: boolean }): tf.Tensor {
    if (options.training === true)
      throw new OptionError(
        `${this.name}: ${this.kerasClass} is known in prediction only; take it out of the model to train it`,
      );
    return one(inputs);
  }

  override getConfig(): Config {
    return { ...super.getConfig(), kerasClass: this.kerasClass, kerasConfig: this.kerasConfig as never };
  }
}

/** One projective transform an image, from output pixels to input pixels. */
function moved(x: tf.Tensor4D, { flip, rotation, height, width, moves, fill = "reflect" }: Augmentation): tf.Tensor4D {
  if (flip === undefined && rotation === undefined && height === undefined && width === undefined) return x;
  const [batch, rows, columns] = x.shape;
  const draw = (range: readonly [number, number] | undefined): number =>
    range === undefined ? 0 : range[0] + Math.random() * (range[1] - range[0]);
  const transforms = Array.from({ length: batch }, () => {
    const turn = 2 * Math.PI * draw(rotation);
    const mirror = (side: "horizontal" | "vertical"): number =>
      flip?.includes(side) === true && Math.random() < 0.5 ? -1 : 1;
    const [down, right] = [draw(height), width === undefined && moves === "zoom" ? undefined : draw(width)];
    const [scaleY, scaleX] = moves === "zoom" ? [1 + down, 1 + (right ?? down)] : [1, 1];
    const [shiftY, shiftX] = moves === "translation" ? [down * rows, (right ?? 0) * columns] : [0, 0];
    const [a, b] = [Math.cos(turn) * scaleX * mirror("horizontal"), -Math.sin(turn) * scaleY];
    const [c, d] = [Math.sin(turn) * scaleX, Math.cos(turn) * scaleY * mirror("vertical")];
    const [centreX, centreY] = [(columns - 1) / 2, (rows - 1) / 2];
    return [
      a,
      b,
      centreX - a * centreX - b * centreY - shiftX,
      c,
      d,
      centreY - c * centreX - d * centreY - shiftY,
      0,
      0,
    ];
  });
  return tf.image.transform(x, tf.tensor2d(transforms), "bilinear", fill);
}

function recoloured(x: tf.Tensor4D, { contrast, brightness }: Augmentation): tf.Tensor4D {
  const perImage = ([low, high]: readonly [number, number]): tf.Tensor =>
    tf.randomUniform([x.shape[0], 1, 1, 1], low, high);
  if (contrast !== undefined) {
    const mean = tf.mean(x, [1, 2], true);
    return tf.add(tf.mul(tf.sub(x, mean), perImage(contrast)), mean);
  }
  if (brightness === undefined) return x;
  return tf.add(x, perImage(brightness));
}
