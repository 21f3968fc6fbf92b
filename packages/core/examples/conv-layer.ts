import {
  build,
  chain,
  classActivation,
  dense,
  flatten,
  glorotUniform,
  initializer,
  layer,
  maxPool,
  randomNormal,
  unitPixels,
} from "@convkit/core";
import type { Architecture, Block, LayerWindow, MeasuredLayer } from "@convkit/core";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";

/**
 * A convolution layer of one's own on the raw operation: kernels from Glorot's uniform distribution, a bias from a normal one,
 * no padding, ReLU. `[n, h, w, c] -> [n, h - kernel + 1, w - kernel + 1, filters]` at stride 1.
 */
export class ConvLayer extends tfl.layers.Layer implements MeasuredLayer {
  static className = "ConvLayer";
  readonly #config: { filters: number; kernel: number; stride: number };
  #kernels: tfl.LayerVariable | undefined;
  #bias: tfl.LayerVariable | undefined;

  constructor({
    filters,
    kernel,
    stride,
    ...base
  }: {
    name?: string;
    filters: number;
    kernel: number;
    stride: number;
  }) {
    super(base);
    this.#config = { filters, kernel, stride };
  }

  override build(shape: number[]): void {
    const { filters, kernel } = this.#config;
    const kernels = [kernel, kernel, shape.at(-1) as number, filters];
    this.#kernels = this.addWeight("kernels", kernels, "float32", initializer(glorotUniform, `${this.name}/kernels`));
    this.#bias = this.addWeight("bias", [filters], "float32", initializer(randomNormal(), `${this.name}/bias`));
    this.built = true;
  }

  override computeOutputShape(shape: number[]): number[] {
    const { filters, kernel, stride } = this.#config;
    const along = (size: number): number => Math.floor((size - kernel) / stride) + 1;
    return [shape[0] as number, along(shape[1] as number), along(shape[2] as number), filters];
  }

  /** For summaries: the receptive field. */
  window(): LayerWindow {
    const { kernel, stride } = this.#config;
    return { extent: [kernel, kernel], stride: [stride, stride] };
  }

  /** For summaries: the multiply-adds. */
  macs([, , , channels]: readonly (number | null)[], [, height, width]: readonly (number | null)[]): number {
    const { filters, kernel } = this.#config;
    return (height as number) * (width as number) * kernel ** 2 * (channels as number) * filters;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D;
    const kernels = (this.#kernels as tfl.LayerVariable).read() as tf.Tensor4D;
    const bias = (this.#bias as tfl.LayerVariable).read();
    return tf.tidy(() => tf.relu(tf.add(tf.conv2d(x, kernels, this.#config.stride, "valid"), bias)));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.#config };
  }
}

/** The layer as a block, to be combined with all others. */
export function convLayer(filters: number, kernel: number, stride = 1): Block {
  return layer((name) => new ConvLayer({ name, filters, kernel, stride }));
}

/** A network of it: one convolution, one pool, one classifier. */
export const simpleCnn: Architecture = {
  name: "simple-cnn-of-own-layer",
  paper: "an example",
  input: [28, 28, 3],
  smallest: 6,
  classes: 10,
  params: 48_522,
  trainable: 48_522,
  macs: 1_428_480,
  preprocessing: unitPixels,
  body: chain({ conv1: convLayer(32, 5), pool1: maxPool(2, 2, { padding: "valid" }) }),
  head: (options) =>
    chain({ flatten: flatten(), predictions: dense(options.classes, { activation: classActivation(options) }) }),
};

/** Builds it, ready to train. */
export function buildSimpleCnn(): tfl.LayersModel {
  return build(simpleCnn);
}
