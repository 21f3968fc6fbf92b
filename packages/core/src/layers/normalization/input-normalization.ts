import * as tf from "@tensorflow/tfjs-core";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { layer } from "../../block/block.ts";
import { onlyShape, onlyTensor } from "../../tfjs/layer-class.ts";
import type { ShapedBlock, Unchanged } from "../../typed/shape-change.ts";

/** Subtracts a mean and divides by a deviation per channel, both kept as weights that are not trained: shape unchanged. */
export function normalization(): ShapedBlock<Unchanged> {
  return layer((name) => new Normalization({ name }), "normalization");
}

/** Keras' layer of this name, with its three weights: mean, variance, count. */
export class Normalization extends tfjs.Layer {
  static className = "Normalization";
  #mean: tfl.LayerVariable | undefined;
  #variance: tfl.LayerVariable | undefined;

  constructor({ name, trainable }: { name?: string; trainable?: boolean }) {
    super({ ...(name === undefined ? {} : { name }), ...(trainable === undefined ? {} : { trainable }) });
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const channels = onlyShape(inputShape).at(-1) as number;
    const add = (
      name: string,
      shape: number[],
      dtype: "float32" | "int32",
      init: "zeros" | "ones",
    ): tfl.LayerVariable =>
      this.addWeight(name, shape, dtype, (init === "zeros" ? tfjs.zeros : tfjs.ones)(), undefined, false);
    this.#mean = add("mean", [channels], "float32", "zeros");
    this.#variance = add("variance", [channels], "float32", "ones");
    add("count", [], "int32", "zeros");
    this.built = true;
  }

  override computeOutputShape(shape: tfl.Shape | tfl.Shape[]): tfl.Shape | tfl.Shape[] {
    return shape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [mean, variance] = [this.#mean, this.#variance] as [tfl.LayerVariable, tfl.LayerVariable];
      // Keras' own guard against a variance of zero.
      const deviation = tf.maximum(tf.sqrt(variance.read()), 1e-7);
      return tf.div(tf.sub(onlyTensor(inputs), mean.read()), deviation);
    });
  }

  override getConfig(): ReturnType<tfl.layers.Layer["getConfig"]> {
    return { ...super.getConfig(), axis: -1 };
  }
}
