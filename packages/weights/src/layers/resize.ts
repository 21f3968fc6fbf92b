import { RandomCrop } from "@convkit/augment";
import type { RandomCropArgs } from "@convkit/augment";
import { resizedMiddle } from "../operations/images.ts";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { one, oneShape } from "./base-layers.ts";
import type { BaseArgs, Config, Inputs, Shape } from "./base-layers.ts";

type Interpolation = "bilinear" | "nearest";

/**
 * Keras' UpSampling2D with any interpolation. Pixels are areas, as in TensorFlow 2. (tfjs-layers' own treats pixels as
 * points, so its bilinear results differ.) `[n, h, w, c] -> [n, h * rows, w * columns, c]`
 */
export class ScaledUp2D extends tfl.layers.Layer {
  static className = "ScaledUp2D";
  readonly size: [number, number];
  readonly interpolation: Interpolation;

  constructor({ size, interpolation, ...base }: BaseArgs & { size: [number, number]; interpolation: Interpolation }) {
    super(base);
    this.size = size;
    this.interpolation = interpolation;
  }

  override computeOutputShape(shape: Shape): Shape {
    const [batch, height, width, channels] = oneShape(shape);
    const times = (size: number | null | undefined, factor: number): number | null =>
      size == null ? null : size * factor;
    return [batch ?? null, times(height, this.size[0]), times(width, this.size[1]), channels ?? null];
  }

  override call(inputs: Inputs): tf.Tensor {
    const x = one(inputs) as tf.Tensor4D;
    return resized(x, [x.shape[1] * this.size[0], x.shape[2] * this.size[1]], this.interpolation);
  }

  override getConfig(): Config {
    return { ...super.getConfig(), size: [...this.size], interpolation: this.interpolation };
  }
}

/** Keras' Resizing: `[n, h, w, c] -> [n, height, width, c]`. (tfjs-layers' own treats pixels as points.) */
export class ResizedTo extends tfl.layers.Layer {
  static className = "ResizedTo";
  readonly height: number;
  readonly width: number;
  readonly interpolation: Interpolation;

  constructor({
    height,
    width,
    interpolation,
    ...base
  }: BaseArgs & { height: number; width: number; interpolation: Interpolation }) {
    super(base);
    this.height = height;
    this.width = width;
    this.interpolation = interpolation;
  }

  override computeOutputShape(shape: Shape): Shape {
    const [batch, , , channels] = oneShape(shape);
    return [batch ?? null, this.height, this.width, channels ?? null];
  }

  override call(inputs: Inputs): tf.Tensor {
    return resized(one(inputs) as tf.Tensor4D, [this.height, this.width], this.interpolation);
  }

  override getConfig(): Config {
    return { ...super.getConfig(), height: this.height, width: this.width, interpolation: this.interpolation };
  }
}

/**
 * Keras' CenterCrop: `[n, h, w, c] -> [n, height, width, c]`; of smaller images, the largest central part with the
 * target's proportions, resized. (tfjs-layers' own omits the batch from its output shape.)
 */
export class CroppedCentre extends tfl.layers.Layer {
  static className = "CroppedCentre";
  readonly height: number;
  readonly width: number;

  constructor({ height, width, ...base }: BaseArgs & { height: number; width: number }) {
    super(base);
    this.height = height;
    this.width = width;
  }

  override computeOutputShape(shape: Shape): Shape {
    const [batch, , , channels] = oneShape(shape);
    return [batch ?? null, this.height, this.width, channels ?? null];
  }

  override call(inputs: Inputs): tf.Tensor {
    const x = one(inputs) as tf.Tensor4D;
    if (x.shape[1] < this.height || x.shape[2] < this.width)
      return tf.tidy(() => resizedMiddle(x, [this.height, this.width]));
    const [top, left] = [Math.floor((x.shape[1] - this.height) / 2), Math.floor((x.shape[2] - this.width) / 2)];
    return tf.slice(x, [0, top, left, 0], [-1, this.height, this.width, -1]);
  }

  override getConfig(): Config {
    return { ...super.getConfig(), height: this.height, width: this.width };
  }
}

function resized(x: tf.Tensor4D, size: [number, number], interpolation: Interpolation): tf.Tensor {
  return interpolation === "bilinear"
    ? tf.image.resizeBilinear(x, size, false, true)
    : tf.image.resizeNearestNeighbor(x, size, false, true);
}

/** Without the literal type of its class name, which a subclass changes. */
const OpenCrop = RandomCrop as unknown as (new (args: RandomCropArgs) => RandomCrop) & { className: string };

/**
 * Keras 3's RandomCrop, which crops in training only: in prediction the image keeps its size, although the layer states
 * `[n, height, width, c]`.
 */
export class TrainingCrop extends OpenCrop {
  static override className = "TrainingCrop";

  override get kerasClass(): string {
    return "RandomCrop";
  }

  protected override unchanged(images: tf.Tensor4D): tf.Tensor4D {
    return tf.cast(images, "float32");
  }
}
