import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { one, oneShape } from "./base-layers.ts";
import type { BaseArgs, Config, Inputs, Shape } from "./base-layers.ts";
import { activationNamed, addWeight, single } from "./kernels.ts";
import type { KernelArgs } from "./kernels.ts";
import { kernelPlaces } from "./kernel-places.ts";
import type { LocalWindows } from "./kernel-places.ts";

type Pair = [number, number];

/** Keras 2's LocallyConnected2D: a separate kernel at every position. `[n, h, w, c] -> [n, h', w', filters]` */
export class LocallyConnected2D extends tfl.layers.Layer {
  static className = "LocallyConnected2D";
  readonly args: KernelArgs;
  readonly #implementation: number;
  #kernel: tfl.LayerVariable | undefined;
  #bias: tfl.LayerVariable | undefined;
  #windows: LocalWindows | undefined;
  readonly #activate: (x: tf.Tensor) => tf.Tensor;

  constructor(args: BaseArgs & KernelArgs) {
    super({ name: args.name!, ...(args.trainable === undefined ? {} : { trainable: args.trainable }) });
    const { name: _, trainable: __, ...own } = args;
    this.#implementation = own.implementation ?? 1;
    if (![1, 2, 3].includes(this.#implementation))
      throw new OptionError(`${args.name}: expected the implementation 1, 2 or 3, got ${own.implementation}`);
    const padding = own.padding ?? "valid";
    if (padding !== "valid" && (padding !== "same" || this.#implementation === 1))
      throw new OptionError(
        `${args.name}: expected the padding valid, or same with implementation 2 or 3, got ${padding}`,
      );
    this.args = own;
    this.#activate = activationNamed(own.activation);
  }

  override build(shape: Shape): void {
    const [, height, width, channels] = oneShape(shape) as [null, number, number, number];
    const [, rows, columns, filters] = this.computeOutputShape(shape) as [null, number, number, number];
    const size = this.#pair("kernelSize");
    this.#windows = {
      input: [height, width],
      output: [rows, columns],
      size,
      strides: this.#pair("strides"),
      before: this.#before(),
      channels,
      filters,
      channelsFirst: this.args.dataFormat === "channelsFirst",
    };
    this.#kernel = addWeight(this, "kernel", this.#kernelSizes(this.#windows), "kernel");
    if (this.args.useBias !== false) this.#bias = addWeight(this, "bias", this.biasSizes(rows, columns), "bias");
    this.built = true;
  }

  protected biasSizes(rows: number, columns: number): number[] {
    return [rows, columns, this.args.filters!];
  }

  override computeOutputShape(shape: Shape): Shape {
    const [batch, height, width] = oneShape(shape);
    const [[rows, columns], [down, right]] = [this.#pair("kernelSize"), this.#pair("strides")];
    const isSame = this.args.padding === "same";
    const out = (length: number, size: number, stride: number): number =>
      isSame ? Math.ceil(length / stride) : Math.floor((length - size) / stride) + 1;
    return [batch ?? null, out(height!, rows, down), out(width!, columns, right), this.args.filters!];
  }

  /** Rows and columns of zeros on each side with which every window lies within the image. */
  paddingOf(height: number, width: number): [Pair, Pair] {
    const [, rows, columns] = this.computeOutputShape([null, height, width, 1]) as [null, number, number];
    const [size, strides, before] = [this.#pair("kernelSize"), this.#pair("strides"), this.#before()];
    const side = (axis: 0 | 1, length: number, places: number): Pair => {
      const end = (places - 1) * strides[axis] - before[axis] + size[axis];
      return [before[axis], Math.max(0, end - length)];
    };
    return [side(0, height, rows), side(1, width, columns)];
  }

  /** The kernel of each place, whatever the implementation: `[places, size * size * channels, filters]`, channels last. */
  kernelByPlace(): tf.Tensor3D {
    return tf.tidy(() => {
      const kernel = this.#kernel!.read();
      const windows = this.#windows!;
      const [rows, columns] = windows.output;
      const [height, width] = windows.size;
      const { channels, filters } = windows;
      if (this.#implementation === 1) {
        if (!windows.channelsFirst) return tf.clone(kernel) as tf.Tensor3D;
        const apart = tf.reshape(kernel, [rows * columns, channels, height * width, filters]);
        return tf.reshape(tf.transpose(apart, [0, 2, 1, 3]), [rows * columns, -1, filters]);
      }
      // The last number, a zero, is for what a window has outside of the image.
      const numbers = tf.concat([tf.reshape(kernel, [-1]), tf.zeros([1])]);
      const places = tf.tensor1d(kernelPlaces(windows, this.#implementation as 2 | 3).places, "int32");
      return tf.reshape(tf.gather(numbers, places), [rows * columns, height * width * channels, filters]);
    });
  }

  /** The bias as `[rows, columns, filters]`; undefined without one. */
  biasByPlace(): tf.Tensor3D | undefined {
    if (this.#bias === undefined) return undefined;
    const [[rows, columns], { filters, channelsFirst }] = [this.#windows!.output, this.#windows!];
    const bias = this.#bias.read();
    // Keras takes the numbers for `[filters, rows, columns]` if channels are first.
    return tf.tidy(() =>
      channelsFirst
        ? tf.transpose(tf.reshape(bias, [filters, rows, columns]), [1, 2, 0])
        : tf.reshape(bias, [rows, columns, filters]),
    );
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const x = one(inputs) as tf.Tensor4D;
      const [, rows, columns, filters] = this.computeOutputShape(x.shape) as [number, number, number, number];
      const [[height, width], [down, right]] = [this.#pair("kernelSize"), this.#pair("strides")];
      const [batch, , , channels] = x.shape;
      const sides = this.paddingOf(x.shape[1], x.shape[2]);
      const image = sides.flat().some((side) => side > 0) ? tf.pad(x, [[0, 0], ...sides, [0, 0]]) : x;
      const patches = Array.from({ length: rows * columns }, (_, place) => {
        const start = [0, Math.floor(place / columns) * down, (place % columns) * right, 0];
        return tf.reshape(tf.slice(image, start, [batch, height, width, channels]), [batch, height * width * channels]);
      });
      const y = tf.matMul(tf.stack(patches), this.kernelByPlace());
      const map = tf.reshape(tf.transpose(y, [1, 0, 2]), [batch, rows, columns, filters]);
      const bias = this.biasByPlace();
      return this.#activate(bias === undefined ? map : tf.add(map, bias));
    });
  }

  override getConfig(): Config {
    return { ...super.getConfig(), ...(this.args as object) };
  }

  #kernelSizes(windows: LocalWindows): number[] {
    const [[rows, columns], [height, width], [inRows, inColumns]] = [windows.output, windows.size, windows.input];
    const { channels, filters, channelsFirst } = windows;
    if (this.#implementation === 1) return [rows * columns, height * width * channels, filters];
    if (this.#implementation === 3) return [kernelPlaces(windows, 3).count];
    return this.matrixSizes([inRows, inColumns, channels], [rows, columns, filters], channelsFirst);
  }

  /** The shape of the kernel of implementation 2: all inputs, then all outputs. */
  protected matrixSizes(input: number[], output: number[], channelsFirst: boolean): number[] {
    const ordered = (sizes: number[]): number[] => (channelsFirst ? [sizes.at(-1)!, ...sizes.slice(0, -1)] : sizes);
    return [...ordered(input), ...ordered(output)];
  }

  /** With padding `same` Keras begins half a window before the first place, at any stride, unlike its convolutions. */
  #before(): Pair {
    const [rows, columns] = this.#pair("kernelSize");
    return this.args.padding === "same" ? [Math.floor(rows / 2), Math.floor(columns / 2)] : [0, 0];
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

  protected override matrixSizes(input: number[], output: number[], channelsFirst: boolean): number[] {
    const [length, , channels] = input as [number, number, number];
    const [places, , filters] = output as [number, number, number];
    return super.matrixSizes([length, channels], [places, filters], channelsFirst);
  }
}
