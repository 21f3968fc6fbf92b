import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { one, oneShape } from "./base-layers.ts";
import type { BaseArgs, Config, Inputs, Shape } from "./base-layers.ts";
import { weightOptions } from "./weight-options.ts";

type Pair = [number, number];

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
  /** How Keras 2 stores the kernel of a LocallyConnected2D. */
  readonly implementation?: number;
}

/** The function of a tfjs-layers activation, by name. */
export function activationNamed(name: string | undefined): (x: tf.Tensor) => tf.Tensor {
  if (name === undefined || name === "linear") return (x) => x;
  const layer = tfl.layers.activation({ activation: name as "relu" });
  return (x) => layer.call(x, {}) as tf.Tensor;
}

/** Adds a weight with the initializer, regularizer and constraint that the layer's options state for it. */
function addWeight(
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

const single = (value: number | readonly number[] | null | undefined, otherwise: number): number =>
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

/** Keras 2's LocallyConnected2D: a separate kernel at every position. `[n, h, w, c] -> [n, h', w', filters]` */
export class LocallyConnected2D extends tfl.layers.Layer {
  static className = "LocallyConnected2D";
  readonly args: KernelArgs;
  #kernel: tfl.LayerVariable | undefined;
  #bias: tfl.LayerVariable | undefined;
  readonly #activate: (x: tf.Tensor) => tf.Tensor;

  constructor(args: BaseArgs & KernelArgs) {
    super({ name: args.name!, ...(args.trainable === undefined ? {} : { trainable: args.trainable }) });
    const { name: _, trainable: __, ...own } = args;
    if ((own.padding ?? "valid") !== "valid")
      throw new OptionError(`${args.name}: expected the padding valid, got ${own.padding}`);
    if ((own.implementation ?? 1) !== 1)
      throw new OptionError(`${args.name}: expected the implementation 1, got ${own.implementation}`);
    this.args = own;
    this.#activate = activationNamed(own.activation);
  }

  override build(shape: Shape): void {
    const [, rows, columns, filters] = this.computeOutputShape(shape) as [null, number, number, number];
    const [[height, width], channels] = [this.#pair("kernelSize"), oneShape(shape)[3]!];
    const sizes = [rows * columns, height * width * channels, filters];
    this.#kernel = addWeight(this, "kernel", sizes, "kernel");
    if (this.args.useBias !== false) this.#bias = addWeight(this, "bias", this.biasSizes(rows, columns), "bias");
    this.built = true;
  }

  protected biasSizes(rows: number, columns: number): number[] {
    return [rows, columns, this.args.filters!];
  }

  override computeOutputShape(shape: Shape): Shape {
    const [batch, height, width] = oneShape(shape);
    const [[rows, columns], [down, right]] = [this.#pair("kernelSize"), this.#pair("strides")];
    const out = (length: number, size: number, stride: number): number => Math.floor((length - size) / stride) + 1;
    return [batch ?? null, out(height!, rows, down), out(width!, columns, right), this.args.filters!];
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const x = one(inputs) as tf.Tensor4D;
      const [, rows, columns, filters] = this.computeOutputShape(x.shape) as [number, number, number, number];
      const [[height, width], [down, right]] = [this.#pair("kernelSize"), this.#pair("strides")];
      const [batch, , , channels] = x.shape;
      const patches = Array.from({ length: rows * columns }, (_, place) => {
        const start = [0, Math.floor(place / columns) * down, (place % columns) * right, 0];
        const window = tf.slice(x, start, [batch, height, width, channels]);
        const ordered = this.args.dataFormat === "channelsFirst" ? tf.transpose(window, [0, 3, 1, 2]) : window;
        return tf.reshape(ordered, [batch, height * width * channels]);
      });
      const y = tf.matMul(tf.stack(patches), this.#kernel!.read());
      const map = tf.reshape(tf.transpose(y, [1, 0, 2]), [batch, rows, columns, filters]);
      const bias = this.#bias && tf.reshape(this.#bias.read(), [rows, columns, filters]);
      return this.#activate(bias === undefined ? map : tf.add(map, this.#ordered(bias)));
    });
  }

  /** The bias, `[rows, columns, filters]`, whose numbers Keras takes for `[filters, rows, columns]` if channels are first. */
  #ordered(bias: tf.Tensor): tf.Tensor {
    const [rows, columns, filters] = bias.shape as [number, number, number];
    if (this.args.dataFormat !== "channelsFirst") return bias;
    return tf.transpose(tf.reshape(bias, [filters, rows, columns]), [1, 2, 0]);
  }

  override getConfig(): Config {
    return { ...super.getConfig(), ...(this.args as object) };
  }

  #pair(name: "kernelSize" | "strides"): Pair {
    const value = this.args[name] ?? 1;
    return typeof value === "number" ? [value, value] : [value[0]!, value[1] ?? value[0]!];
  }
}

/** Keras 2's LocallyConnected1D, as a map of one column: `[n, length, c] -> [n, length', filters]` */
export class LocallyConnected1D extends LocallyConnected2D {
  static override className = "LocallyConnected1D";

  constructor(args: BaseArgs & KernelArgs) {
    super({ ...args, kernelSize: [single(args.kernelSize, 1), 1], strides: [single(args.strides, 1), 1] });
  }

  override build(shape: Shape): void {
    const [batch, length, channels] = oneShape(shape);
    super.build([batch!, length!, 1, channels!]);
  }

  override computeOutputShape(shape: Shape): Shape {
    const sizes = oneShape(shape);
    if (sizes.length === 4) return super.computeOutputShape(sizes);
    const [batch, length, , filters] = super.computeOutputShape([sizes[0]!, sizes[1]!, 1, sizes[2]!]) as tfl.Shape;
    return [batch!, length!, filters!];
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => tf.squeeze(super.call(tf.expandDims(one(inputs), 2)), [2]));
  }

  protected override biasSizes(rows: number): number[] {
    return [rows, this.args.filters!];
  }
}
