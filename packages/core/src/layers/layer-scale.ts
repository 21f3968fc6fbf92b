import * as tf from "@tensorflow/tfjs-core";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { layer } from "../block/block.ts";
import { onlyTensor } from "../tfjs/layer-class.ts";
import type { ShapedBlock, Unchanged } from "../typed/shape-change.ts";
import { checkNumber } from "./check-values.ts";

/** Multiplies each channel by a trained factor, which begins at `start`: shape unchanged. Touvron et al. 2021, https://arxiv.org/abs/2103.17239 */
export function layerScale(start = 1e-6): ShapedBlock<Unchanged> {
  checkNumber("layerScale", "start", start);
  return layer(
    (name, x) => new LayerScale({ name, initValues: start, projectionDim: x.shape.at(-1) as number }),
    "layer_scale",
  );
}

/** Keras' layer of this name in ConvNeXt. */
export class LayerScale extends tfjs.Layer {
  static className = "LayerScale";
  readonly #start: number;
  readonly #channels: number;
  #gamma: tfl.LayerVariable | undefined;

  constructor({
    initValues,
    projectionDim,
    ...base
  }: ConstructorParameters<typeof tfl.layers.Layer>[0] & { initValues: number; projectionDim: number }) {
    super(base);
    this.#start = initValues;
    this.#channels = projectionDim;
  }

  override build(): void {
    const start = tfjs.constant({ value: this.#start });
    this.#gamma = this.addWeight("gamma", [this.#channels], "float32", start);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => tf.mul(onlyTensor(inputs), this.#gamma!.read()));
  }

  override getConfig(): ReturnType<tfl.layers.Layer["getConfig"]> {
    return { ...super.getConfig(), initValues: this.#start, projectionDim: this.#channels };
  }
}
