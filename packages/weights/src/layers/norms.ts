import { OptionError } from "@convkit/errors";
import { BatchNormalization } from "@convkit/core";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { one, oneShape } from "./base-layers.ts";
import type { BaseArgs, Config, Inputs, Shape } from "./base-layers.ts";

/** Divides by the L2 norm over the axes, as Keras does. Shape unchanged. */
export class UnitNormalization extends tfl.layers.Layer {
  static className = "UnitNormalization";
  readonly axis: number[];

  constructor({ axis, ...base }: BaseArgs & { axis?: number | number[] }) {
    super(base);
    this.axis = [axis ?? -1].flat();
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const x = one(inputs);
      return tf.mul(x, tf.rsqrt(tf.maximum(tf.sum(tf.square(x), this.axis, true), 1e-12)));
    });
  }

  override getConfig(): Config {
    return { ...super.getConfig(), axis: [...this.axis] };
  }
}

/**
 * Keras' Normalization along any axes or none, also inverted. Its statistics are weights that are not trained. Shape
 * unchanged.
 */
export class AxesNormalization extends tfl.layers.Layer {
  static className = "AxesNormalization";
  readonly axis: readonly number[];
  readonly invert: boolean;
  #mean: tfl.LayerVariable | undefined;
  #variance: tfl.LayerVariable | undefined;
  #sides: number[] = [];

  constructor({ axis, invert = false, ...base }: BaseArgs & { axis: number | readonly number[]; invert?: boolean }) {
    super(base);
    this.axis = [axis].flat();
    this.invert = invert;
  }

  override build(inputShape: Shape): void {
    const shape = oneShape(inputShape);
    const kept = new Set(this.axis.map((axis) => (axis < 0 ? axis + shape.length : axis)));
    const sizes = [...kept].toSorted((a, b) => a - b).map((axis) => shape[axis] ?? this.#refuse(axis, shape));
    this.#sides = shape.map((size, axis) => (kept.has(axis) ? (size as number) : 1));
    const add = (name: string, size: number[], dtype: "float32" | "int32", init: "zeros" | "ones"): tfl.LayerVariable =>
      this.addWeight(name, size, dtype, tfl.initializers[init](), undefined, false);
    this.#mean = add("mean", sizes, "float32", "zeros");
    this.#variance = add("variance", sizes, "float32", "ones");
    add("count", [], "int32", "zeros");
    this.built = true;
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const [x, mean] = [one(inputs), tf.reshape(this.#mean!.read(), this.#sides)];
      // Keras' own guard against a variance of zero.
      const deviation = tf.maximum(tf.sqrt(tf.reshape(this.#variance!.read(), this.#sides)), 1e-7);
      return this.invert ? tf.add(tf.mul(x, deviation), mean) : tf.div(tf.sub(x, mean), deviation);
    });
  }

  override getConfig(): Config {
    return { ...super.getConfig(), axis: [...this.axis], invert: this.invert };
  }

  #refuse(axis: number, shape: tfl.Shape): never {
    throw new OptionError(`axis ${axis} of an input of [${shape}] has no size to keep statistics for`);
  }
}

/** The fields of tfjs-layers' batch normalization. */
interface BatchNormFields {
  readonly axis: number;
  readonly epsilon: number;
  readonly gamma?: tfl.LayerVariable | null;
  readonly beta?: tfl.LayerVariable | null;
}

/**
 * Batch normalization that is called with `training=True`: uses each batch's mean and variance in prediction, too.
 * Only training updates its moving statistics. Shape unchanged.
 */
export class BatchStatisticsNormalization extends BatchNormalization {
  static override className = "BatchStatisticsNormalization";

  override call(inputs: Inputs, options: { training?: boolean }): tf.Tensor | tf.Tensor[] {
    if (options.training === true) return super.call(inputs, options);
    return tf.tidy(() => {
      const x = one(inputs);
      const { axis, epsilon, gamma, beta } = this as unknown as BatchNormFields;
      const own = axis < 0 ? axis + x.rank : axis;
      const others = x.shape.map((_, index) => index).filter((index) => index !== own);
      const sides = x.shape.map((size, index) => (index === own ? size : 1));
      const { mean, variance } = tf.moments(x, others, true);
      let y: tf.Tensor = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon)));
      if (gamma != null) y = tf.mul(y, tf.reshape(gamma.read(), sides));
      return beta == null ? y : tf.add(y, tf.reshape(beta.read(), sides));
    });
  }
}

/**
 * Divides by the root mean square, or with `ofVariance` by the standard deviation, and scales. Shape unchanged. Zhang,
 * Sennrich 2019, https://arxiv.org/abs/1910.07467
 */
export class RMSNormalization extends tfl.layers.Layer {
  static className = "RMSNormalization";
  readonly axis: number[];
  readonly epsilon: number;
  /** True to divide by the standard deviation, as Keras' LayerNormalization does with rms_scaling. */
  readonly ofVariance: boolean;
  #scale: tfl.LayerVariable | undefined;
  #sides: number[] = [];

  constructor({
    axis,
    epsilon,
    ofVariance,
    ...base
  }: BaseArgs & { axis?: number | number[]; epsilon?: number; ofVariance?: boolean }) {
    super(base);
    this.axis = [axis ?? -1].flat();
    this.epsilon = epsilon ?? 1e-7;
    this.ofVariance = ofVariance ?? false;
  }

  override build(inputShape: Shape): void {
    const shape = oneShape(inputShape);
    const axes = new Set(this.axis.map((axis) => (axis < 0 ? axis + shape.length : axis)));
    this.#sides = shape.map((size, axis) => (axes.has(axis) ? size! : 1));
    const sizes = shape.filter((_, axis) => axes.has(axis)) as number[];
    this.#scale = this.addWeight(this.ofVariance ? "gamma" : "scale", sizes, "float32", tfl.initializers.ones());
    this.built = true;
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const x = one(inputs);
      const centered = this.ofVariance ? tf.sub(x, tf.mean(x, this.axis, true)) : x;
      const divisor = tf.rsqrt(tf.add(tf.mean(tf.square(centered), this.axis, true), this.epsilon));
      return tf.mul(tf.mul(x, divisor), tf.reshape(this.#scale!.read(), this.#sides));
    });
  }

  override getConfig(): Config {
    return { ...super.getConfig(), axis: [...this.axis], epsilon: this.epsilon, ofVariance: this.ofVariance };
  }
}

/**
 * Batch normalization of Keras 2 with `renorm=True`. It has three more statistics, which only training uses. Shape
 * unchanged.
 */
export class RenormBatchNormalization extends BatchNormalization {
  static override className = "RenormBatchNormalization";

  override build(inputShape: Shape): void {
    super.build(inputShape);
    const { axis } = this as unknown as BatchNormFields;
    const shape = oneShape(inputShape);
    const size = shape[axis < 0 ? axis + shape.length : axis]!;
    for (const name of ["moving_stddev", "renorm_mean", "renorm_stddev"])
      this.addWeight(name, [size], "float32", tfl.initializers.zeros(), undefined, false);
  }

  override call(inputs: Inputs, options: { training?: boolean }): tf.Tensor | tf.Tensor[] {
    if (options.training === true)
      throw new OptionError(`${this.name}: batch renormalization is known in prediction only; train it in Keras`);
    return super.call(inputs, options);
  }
}
