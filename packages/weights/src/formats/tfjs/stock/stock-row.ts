import type * as tfl from "@tensorflow/tfjs-layers";
import type { JsonObject } from "../../../bytes/json.ts";
import type { TensorData } from "../../../bytes/named-tensor.ts";

/** The type of tensors' data: not over shared memory. */
export type Floats = Float32Array<ArrayBuffer>;

/** A weight of a stock layer. Its values are computed when they are written. */
export interface StockWeight {
  /** The name without its layer's: `kernel`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly read: () => TensorData;
}

/** A layer of stock tfjs, which alone or with others computes what one layer of the model computes. */
export interface StockRow {
  readonly className: string;
  /** The configuration with the keys of the file (`pool_size`), without the name. */
  readonly config: JsonObject;
  readonly inputs: readonly Source[];
  readonly weights: readonly StockWeight[];
}

/** An input of the layer that is replaced, by its index, or the output of a row. */
export type Source = number | StockRow;

/** A layer of the model, as the writer sees it. */
export interface HeldLayer {
  readonly layer: tfl.layers.Layer;
  /** The configuration with the keys of JavaScript (`poolSize`). */
  readonly config: Readonly<Record<string, unknown>>;
  /** The configuration with the keys of the file (`pool_size`). */
  readonly fileConfig: JsonObject;
  /** The shape of each input. A size that is unknown, or that differs between calls, is null. */
  readonly inputs: readonly tfl.Shape[];
  readonly output: tfl.Shape;
  /** Whether the model has layers that mask steps. */
  readonly masked: boolean;
  /** The weight of this name, without the layer's; undefined if the layer has none. */
  readonly weight: (name: string) => StockWeight | undefined;
}

export const row = (
  className: string,
  config: JsonObject,
  inputs: readonly Source[] = [0],
  weights: readonly StockWeight[] = [],
): StockRow => ({ className, config, inputs, weights });

/** Frozen, so that training in stock tfjs leaves a constant alone. */
const frozen = { trainable: false };

/** Returns its input. */
export const unchanged = (x: Source): StockRow => row("Activation", { activation: "linear" }, [x]);

export const activated = (x: Source, activation: string): StockRow => row("Activation", { activation }, [x]);

/** `x * scale + offset` with two numbers. */
export const rescaled = (x: Source, scale: number, offset = 0): StockRow => row("Rescaling", { scale, offset }, [x]);

/** tfjs frees an intermediate output too early if one layer takes it twice. */
const distinct = (xs: readonly Source[]): Source[] =>
  xs.map((x, index) => (xs.indexOf(x) === index ? x : unchanged(x)));

export const added = (...xs: Source[]): StockRow => row("Add", {}, distinct(xs));

export const multiplied = (...xs: Source[]): StockRow => row("Multiply", {}, distinct(xs));

/** `min(max(x, 0), most)`. */
export const clippedReLU = (x: Source, most: number): StockRow => row("ReLU", { max_value: most }, [x]);

/** The sizes are those after the batch. */
export const reshaped = (x: Source, sizes: readonly number[]): StockRow =>
  row("Reshape", { target_shape: [...sizes] }, [x]);

/** The order is of all axes, the batch (0) first. */
export const transposed = (x: Source, order: readonly number[]): StockRow =>
  row("Permute", { dims: order.slice(1) }, [x]);

type Sides = readonly [readonly [number, number], readonly [number, number]];

const nothing = (sides: Sides): boolean => sides.flat().every((size) => size === 0);

export const padded = (x: Source, sides: Sides): Source =>
  nothing(sides)
    ? x
    : row("ZeroPadding2D", { padding: sides.map((each) => [...each]), data_format: "channels_last" }, [x]);

export const cropped = (x: Source, sides: Sides): Source =>
  nothing(sides)
    ? x
    : row("Cropping2D", { cropping: sides.map((each) => [...each]), data_format: "channels_last" }, [x]);

export const pooled = (
  x: Source,
  mode: "max" | "average",
  { size, strides, padding }: { size: readonly number[]; strides: readonly number[]; padding: "same" | "valid" },
): StockRow =>
  row(
    mode === "max" ? "MaxPooling2D" : "AveragePooling2D",
    { pool_size: [...size], strides: [...strides], padding, data_format: "channels_last" },
    [x],
  );

/** A product of the last axis with a constant matrix `[in, out]`, and a constant offset. */
export function product(x: Source, kernel: StockWeight, bias?: StockWeight): StockRow {
  const config = { units: kernel.shape[1]!, use_bias: bias !== undefined, activation: "linear", ...frozen };
  return row("Dense", config, [x], bias === undefined ? [kernel] : [kernel, bias]);
}

/** A factor and an offset for each channel, the last axis, of an input of `rank` axes. */
export function perChannel(
  x: Source,
  rank: number,
  channels: number,
  factor: () => Floats,
  offset?: () => Floats,
): StockRow {
  const bias: StockWeight | undefined =
    offset === undefined ? undefined : { name: "bias", shape: [channels], read: offset };
  if (rank !== 4) {
    const diagonal = (): Floats => {
      const matrix = new Float32Array(channels * channels);
      for (const [i, value] of factor().entries()) matrix[i * channels + i] = value;
      return matrix;
    };
    return product(x, { name: "kernel", shape: [channels, channels], read: diagonal }, bias);
  }
  const config = {
    kernel_size: [1, 1],
    strides: [1, 1],
    padding: "valid",
    depth_multiplier: 1,
    data_format: "channels_last",
    use_bias: bias !== undefined,
    activation: "linear",
    ...frozen,
  };
  const kernel: StockWeight = { name: "depthwise_kernel", shape: [1, 1, channels, 1], read: factor };
  return row("DepthwiseConv2D", config, [x], bias === undefined ? [kernel] : [kernel, bias]);
}

/** A 1x1 convolution without bias by a constant `[in, out]`. */
export function mixed(x: Source, from: number, to: number, read: () => Floats): StockRow {
  const config = {
    filters: to,
    kernel_size: [1, 1],
    strides: [1, 1],
    padding: "valid",
    data_format: "channels_last",
    use_bias: false,
    activation: "linear",
    ...frozen,
  };
  return row("Conv2D", config, [x], [{ name: "kernel", shape: [1, 1, from, to], read }]);
}
