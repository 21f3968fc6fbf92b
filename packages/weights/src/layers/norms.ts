import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { one, oneShape } from "./base-layers.ts";
import type { BaseArgs, Config, Inputs, Shape } from "./base-layers.ts";

/** Divides by the length over the axes, as Keras does: shape unchanged. */
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

/** Keras' Normalization along any axes, or none, or backwards; its statistics are weights that are not trained: shape unchanged. */
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

/** A factor a channel, which is trained: shape unchanged. It is ConvNeXt's. Touvron et al. 2021, https://arxiv.org/abs/2103.17239 */
export class LayerScale extends tfl.layers.Layer {
  static className = "LayerScale";
  readonly initValues: number;
  readonly projectionDim: number;
  #gamma: tfl.LayerVariable | undefined;

  constructor({ initValues, projectionDim, ...base }: BaseArgs & { initValues: number; projectionDim: number }) {
    super(base);
    this.initValues = initValues;
    this.projectionDim = projectionDim;
  }

  override build(): void {
    const start = tfl.initializers.constant({ value: this.initValues });
    this.#gamma = this.addWeight("gamma", [this.projectionDim], "float32", start);
    this.built = true;
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => tf.mul(one(inputs), this.#gamma!.read()));
  }

  override getConfig(): Config {
    return { ...super.getConfig(), initValues: this.initValues, projectionDim: this.projectionDim };
  }
}
