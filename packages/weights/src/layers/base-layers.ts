import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { dropped } from "./dropped.ts";

export type Shape = tfl.Shape | tfl.Shape[];
export type Inputs = tf.Tensor | tf.Tensor[];
export type Config = ReturnType<tfl.layers.Layer["getConfig"]>;
export type BaseArgs = ConstructorParameters<typeof tfl.layers.Layer>[0];

export const one = (inputs: Inputs): tf.Tensor => (Array.isArray(inputs) ? inputs[0]! : inputs);
export const oneShape = (shape: Shape): tfl.Shape => (Array.isArray(shape[0]) ? shape[0] : (shape as tfl.Shape));

/** Returns its input: Keras' Identity and ActivityRegularization. */
export class Identity extends tfl.layers.Layer {
  static className = "Identity";

  override call(inputs: Inputs): tf.Tensor {
    return one(inputs);
  }
}

/** The first input minus the second: `[n, …], [n, …] -> [n, …]`. */
export class Subtract extends tfl.layers.Layer {
  static className = "Subtract";

  override computeOutputShape(shape: Shape): Shape {
    return oneShape(shape);
  }

  override call(inputs: Inputs): tf.Tensor {
    const [a, b] = inputs as [tf.Tensor, tf.Tensor];
    return tf.sub(a, b);
  }
}

/** Zeroes whole channels in training: shape unchanged. Tompson et al. 2014, https://arxiv.org/abs/1411.4280 */
export class SpatialDropout2D extends tfl.layers.Layer {
  static className = "SpatialDropout2D";
  readonly rate: number;

  constructor({ rate, ...base }: BaseArgs & { rate: number }) {
    super(base);
    this.rate = rate;
  }

  override call(inputs: Inputs, options: { training?: boolean }): tf.Tensor {
    const x = one(inputs);
    if (options.training !== true || this.rate === 0) return x;
    return tf.tidy(() => dropped(x, this.rate, this.sides(x)));
  }

  override getConfig(): Config {
    return { ...super.getConfig(), rate: this.rate };
  }

  protected sides(x: tf.Tensor): number[] {
    return [x.shape[0]!, 1, 1, x.shape[3]!];
  }
}

/** Zeroes whole channels of a sequence in training: shape unchanged. */
export class SpatialDropout1D extends SpatialDropout2D {
  static override className = "SpatialDropout1D";

  protected override sides(x: tf.Tensor): number[] {
    return [x.shape[0]!, 1, x.shape[2]!];
  }
}

/** Zeroes whole channels of a volume in training: shape unchanged. */
export class SpatialDropout3D extends SpatialDropout2D {
  static override className = "SpatialDropout3D";

  protected override sides(x: tf.Tensor): number[] {
    return [x.shape[0]!, 1, 1, 1, x.shape[4]!];
  }
}

/** The maximum of each channel; height and width become 1: `[n, h, w, c] -> [n, 1, 1, c]`. */
export class GlobalMaxPooling2DKeepdims extends tfl.layers.Layer {
  static className = "GlobalMaxPooling2DKeepdims";

  override computeOutputShape(shape: Shape): Shape {
    const [batch, , , channels] = oneShape(shape);
    return [batch ?? null, 1, 1, channels ?? null];
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.max(one(inputs), [1, 2], true);
  }
}

/**
 * `x` where it is positive, `alpha (exp(x) - 1)` elsewhere; tfjs-layers' own ELU supports only an alpha of 1. Shape
 * unchanged.
 */
export class ScaledELU extends tfl.layers.Layer {
  static className = "ScaledELU";
  readonly alpha: number;

  constructor({ alpha, ...base }: BaseArgs & { alpha: number }) {
    super(base);
    this.alpha = alpha;
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const x = one(inputs);
      return tf.add(tf.relu(x), tf.mul(tf.minimum(tf.elu(x), 0), this.alpha));
    });
  }

  override getConfig(): Config {
    return { ...super.getConfig(), alpha: this.alpha };
  }
}

/** `x ^ exponent`: shape unchanged. */
export class Power extends tfl.layers.Layer {
  static className = "Power";
  readonly exponent: number;

  constructor({ exponent, ...base }: BaseArgs & { exponent: number }) {
    super(base);
    this.exponent = exponent;
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => tf.pow(one(inputs), this.exponent));
  }

  override getConfig(): Config {
    return { ...super.getConfig(), exponent: this.exponent };
  }
}

/**
 * Keras' general ReLU: `x` from the threshold on, at most `largest`, and `slope (x - threshold)` below the threshold.
 * Shape unchanged.
 */
export class BentReLU extends tfl.layers.Layer {
  static className = "BentReLU";
  readonly maxValue: number | null;
  readonly negativeSlope: number;
  readonly threshold: number;

  constructor({
    maxValue,
    negativeSlope,
    threshold,
    ...base
  }: BaseArgs & { maxValue?: number | null; negativeSlope: number; threshold: number }) {
    super(base);
    this.maxValue = maxValue ?? null;
    this.negativeSlope = negativeSlope;
    this.threshold = threshold;
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const x = one(inputs);
      const above = this.maxValue === null ? x : tf.minimum(x, this.maxValue);
      const below = tf.mul(tf.sub(x, this.threshold), this.negativeSlope);
      return tf.where(tf.greaterEqual(x, this.threshold), above, below);
    });
  }

  override getConfig(): Config {
    const { maxValue, negativeSlope, threshold } = this;
    return { ...super.getConfig(), maxValue, negativeSlope, threshold };
  }
}

/** Softmax over any set of axes; tfjs supports only the last axis. Shape unchanged. */
export class SoftmaxOver extends tfl.layers.Layer {
  static className = "SoftmaxOver";
  readonly axis: number[];

  constructor({ axis, ...base }: BaseArgs & { axis: number | number[] }) {
    super(base);
    this.axis = [axis].flat();
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const x = one(inputs);
      const powers = tf.exp(tf.sub(x, tf.max(x, this.axis, true)));
      return tf.div(powers, tf.sum(powers, this.axis, true));
    });
  }

  override getConfig(): Config {
    return { ...super.getConfig(), axis: [...this.axis] };
  }
}
