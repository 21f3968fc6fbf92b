import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { one, oneShape } from "./base-layers.ts";
import type { BaseArgs, Config, Inputs, Shape } from "./base-layers.ts";
import { weightOptions } from "./weight-options.ts";

/** Options shared by all layers with a kernel. */
export interface KernelArgs {
  readonly filters?: number;
  readonly kernelSize?: number | readonly number[];
  readonly strides?: number | readonly number[];
  readonly padding?: string;
  readonly dilationRate?: number | readonly number[];
  readonly outputPadding?: number | readonly number[] | null;
  readonly groups?: number;
  readonly depthMultiplier?: number;
  readonly activation?: string;
  readonly useBias?: boolean;
  /** For locally connected layers: the order of a kernel's rows, `channelsFirst` or by default `channelsLast`. */
  readonly dataFormat?: string;
  /**
   * How Keras 2 stores the kernel of a locally connected layer: 1, the default, a kernel for each place; 2 a matrix of
   * all inputs by all outputs; 3 the numbers of that matrix that belong to windows.
   */
  readonly implementation?: number;
}

/** The function of a tfjs-layers activation, by name. */
export function activationNamed(name: string | undefined): (x: tf.Tensor) => tf.Tensor {
  if (name === undefined || name === "linear") return (x) => x;
  const layer = tfl.layers.activation({ activation: name as "relu" });
  return (x) => layer.call(x, {}) as tf.Tensor;
}

/** Adds a weight with the initializer, regularizer and constraint that the layer's options state for it. */
export function addWeight(
  layer: tfl.layers.Layer & { readonly args: KernelArgs },
  name: string,
  shape: number[],
  key: string,
): tfl.LayerVariable {
  const start = key === "bias" ? tfl.initializers.zeros() : tfl.initializers.glorotUniform({});
  const { initializer, regularizer, constraint } = weightOptions(layer.args, key, start);
  const open = layer as unknown as { addWeight(...all: unknown[]): tfl.LayerVariable };
  return open.addWeight(name, shape, "float32", initializer, regularizer, true, constraint);
}

export const single = (value: number | readonly number[] | null | undefined, otherwise: number): number =>
  value == null ? otherwise : typeof value === "number" ? value : (value[0] ?? otherwise);

/** Layers with a kernel over sequences, `[n, length, channels]`. */
abstract class SequenceLayer extends tfl.layers.Layer {
  readonly args: KernelArgs;
  readonly size: number;
  readonly stride: number;
  readonly rate: number;
  protected bias: tfl.LayerVariable | undefined;
  readonly #activate: (x: tf.Tensor) => tf.Tensor;

  constructor(args: BaseArgs & KernelArgs) {
    super({ name: args.name!, ...(args.trainable === undefined ? {} : { trainable: args.trainable }) });
    const { name: _, trainable: __, ...own } = args;
    this.args = own;
    this.size = single(own.kernelSize, 1);
    this.stride = single(own.strides, 1);
    this.rate = single(own.dilationRate, 1);
    this.#activate = activationNamed(own.activation);
  }

  get reach(): number {
    return (this.size - 1) * this.rate + 1;
  }

  abstract filtersOf(channels: number): number;

  override computeOutputShape(shape: Shape): Shape {
    const [batch, length, channels] = oneShape(shape);
    return [batch ?? null, length == null ? null : this.lengthOf(length), this.filtersOf(channels!)];
  }

  lengthOf(length: number): number {
    return Math.ceil((this.args.padding === "valid" ? length - this.reach + 1 : length) / this.stride);
  }

  override getConfig(): Config {
    return { ...super.getConfig(), ...(this.args as object) };
  }

  protected addBias(size: number): void {
    if (this.args.useBias !== false) this.bias = addWeight(this, "bias", [size], "bias");
    this.built = true;
  }

  protected kernelWeight(name: string, shape: number[]): tfl.LayerVariable {
    return addWeight(this, name, shape, name.replace(/_kernel$/, ""));
  }

  protected finished(y: tf.Tensor): tf.Tensor {
    return this.#activate(this.bias === undefined ? y : tf.add(y, this.bias.read()));
  }

  /** Pads with zeros, so that the convolution can be "valid": `[n, length, c] -> [n, length', 1, c]`. */
  protected padded(x: tf.Tensor): tf.Tensor4D {
    const { padding } = this.args;
    const length = x.shape[1]!;
    const total =
      padding === "valid" ? 0 : Math.max(0, (this.lengthOf(length) - 1) * this.stride + this.reach - length);
    const before = padding === "causal" ? this.reach - 1 : Math.floor(total / 2);
    const after = padding === "causal" ? 0 : total - before;
    return tf.expandDims(
      tf.pad(x, [
        [0, 0],
        [before, after],
        [0, 0],
      ]),
      2,
    ) as tf.Tensor4D;
  }
}

/** Keras' Conv1D with groups or causal padding. `[n, length, c] -> [n, length', filters]` */
export class GroupedConv1D extends SequenceLayer {
  static className = "GroupedConv1D";
  #kernel: tfl.LayerVariable | undefined;

  override filtersOf(): number {
    return this.args.filters!;
  }

  override build(shape: Shape): void {
    const channels = oneShape(shape).at(-1)!;
    this.#kernel = this.kernelWeight("kernel", [this.size, channels / (this.args.groups ?? 1), this.args.filters!]);
    this.addBias(this.args.filters!);
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const groups = this.args.groups ?? 1;
      const xs = tf.split(this.padded(one(inputs)), groups, 3);
      const kernels = tf.split(tf.expandDims(this.#kernel!.read(), 1) as tf.Tensor4D, groups, 3);
      const parts = xs.map((x, group) =>
        tf.conv2d(x as tf.Tensor4D, kernels[group]! as tf.Tensor4D, [this.stride, 1], "valid", "NHWC", [this.rate, 1]),
      );
      return this.finished(tf.squeeze(tf.concat(parts, 3), [2]));
    });
  }
}

/** Keras' Conv1DTranspose. `[n, length, c] -> [n, length', filters]` */
export class Conv1DTranspose extends SequenceLayer {
  static className = "Conv1DTranspose";
  #kernel: tfl.LayerVariable | undefined;

  override filtersOf(): number {
    return this.args.filters!;
  }

  override lengthOf(length: number): number {
    const { padding, outputPadding } = this.args;
    if (outputPadding == null)
      return length * this.stride + (padding === "same" ? 0 : Math.max(this.reach - this.stride, 0));
    const pads = padding === "same" ? 2 * Math.floor(this.reach / 2) : 0;
    return (length - 1) * this.stride + this.reach - pads + single(outputPadding, 0);
  }

  override build(shape: Shape): void {
    if (this.rate !== 1) throw new OptionError(`${this.name}: expected a dilation rate of 1, got ${this.rate}`);
    this.#kernel = this.kernelWeight("kernel", [this.size, this.args.filters!, oneShape(shape).at(-1)!]);
    this.addBias(this.args.filters!);
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const x = one(inputs) as tf.Tensor3D;
      const kernel = tf.expandDims(this.#kernel!.read(), 1) as tf.Tensor4D;
      const size: [number, number, number, number] = [x.shape[0], this.lengthOf(x.shape[1]), 1, this.args.filters!];
      const padding = this.args.padding === "same" ? "same" : "valid";
      const y = tf.conv2dTranspose(tf.expandDims(x, 2) as tf.Tensor4D, kernel, size, [this.stride, 1], padding);
      return this.finished(tf.squeeze(y, [2]));
    });
  }
}

/** One filter per channel: `[n, length, c] -> [n, length', c * multiplier]`. */
export class DepthwiseConv1D extends SequenceLayer {
  static className = "DepthwiseConv1D";
  #kernel: tfl.LayerVariable | undefined;

  override filtersOf(channels: number): number {
    return channels * (this.args.depthMultiplier ?? 1);
  }

  override build(shape: Shape): void {
    const channels = oneShape(shape).at(-1)!;
    this.#kernel = this.kernelWeight("depthwise_kernel", [this.size, channels, this.args.depthMultiplier ?? 1]);
    this.addBias(this.filtersOf(channels));
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => this.finished(depthwise(this.padded(one(inputs)), this.#kernel!.read(), this)));
  }
}

/** One filter per channel, then a 1x1 convolution over the channels: `[n, length, c] -> [n, length', filters]`. */
export class SeparableConv1D extends SequenceLayer {
  static className = "SeparableConv1D";
  #depthwise: tfl.LayerVariable | undefined;
  #pointwise: tfl.LayerVariable | undefined;

  override filtersOf(): number {
    return this.args.filters!;
  }

  override build(shape: Shape): void {
    const [channels, times] = [oneShape(shape).at(-1)!, this.args.depthMultiplier ?? 1];
    this.#depthwise = this.kernelWeight("depthwise_kernel", [this.size, channels, times]);
    this.#pointwise = this.kernelWeight("pointwise_kernel", [1, channels * times, this.args.filters!]);
    this.addBias(this.args.filters!);
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const y = depthwise(this.padded(one(inputs)), this.#depthwise!.read(), this);
      const [batch, length, channels] = y.shape as [number, number, number];
      const rows = tf.reshape(y, [batch * length, channels]);
      const mixed = tf.matMul(rows, tf.reshape(this.#pointwise!.read(), [channels, this.args.filters!]));
      return this.finished(tf.reshape(mixed, [batch, length, this.args.filters!]));
    });
  }
}

/**
 * Depthwise convolution as a sum over taps, which every backend supports: `[n, length, 1, c] -> [n, length', c * m]`.
 */
function depthwise(x: tf.Tensor4D, kernel: tf.Tensor, { size, stride, rate, reach }: SequenceLayer): tf.Tensor {
  const [batch, length, , channels] = x.shape;
  const times = kernel.shape[2]!;
  const out = Math.floor((length - reach) / stride) + 1;
  const flat = tf.reshape(x, [batch, length, channels, 1]);
  const parts = Array.from({ length: size }, (_, tap) => {
    const window = tf.stridedSlice(
      flat,
      [0, tap * rate, 0, 0],
      [batch, tap * rate + (out - 1) * stride + 1, channels, 1],
      [1, stride, 1, 1],
    );
    return tf.mul(window, tf.reshape(tf.slice(kernel, [tap, 0, 0], [1, -1, -1]), [1, 1, channels, times]));
  });
  return tf.reshape(tf.addN(parts), [batch, out, channels * times]);
}
