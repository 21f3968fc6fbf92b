import { stockClass } from "@convkit/core";
import type { StockClass } from "@convkit/core";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { one, oneShape } from "./base-layers.ts";
import type { Config, Inputs, Shape } from "./base-layers.ts";

type Pair = [number, number];
type Sizes = readonly number[];

interface Fields {
  readonly filters: number;
  readonly kernelSize: Pair;
  readonly strides: Pair;
  readonly dilationRate: Pair;
  readonly padding: "same" | "valid";
  readonly activation: { apply(x: tf.Tensor): tf.Tensor } | null;
  readonly depthMultiplier: number;
  readonly kernel: tfl.LayerVariable;
  readonly depthwiseKernel: tfl.LayerVariable;
  readonly bias: tfl.LayerVariable | null;
}

type DepthwiseArgs = Parameters<typeof tfl.layers.depthwiseConv2d>[0];
const StockDepthwise: StockClass<DepthwiseArgs, Fields> = stockClass(
  tfl.layers.depthwiseConv2d({ name: "stock", kernelSize: 1 }),
);

/**
 * Keras' DepthwiseConv2D with dilation. (tfjs-layers' own accepts a dilation rate and ignores it.)
 * `[n, h, w, c] -> [n, h', w', c * multiplier]`
 */
export class DilatedDepthwiseConv2D extends StockDepthwise {
  static override className = "DilatedDepthwiseConv2D";

  override computeOutputShape(shape: Shape): Shape {
    const [batch, height, width, channels] = oneShape(shape);
    const reach = (axis: 0 | 1): number => (this.kernelSize[axis] - 1) * this.dilationRate[axis] + 1;
    const out = (size: number | null | undefined, axis: 0 | 1): number | null =>
      size == null ? null : Math.ceil((this.padding === "same" ? size : size - reach(axis) + 1) / this.strides[axis]);
    return [batch ?? null, out(height, 0), out(width, 1), channels! * this.depthMultiplier];
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const x = one(inputs) as tf.Tensor4D;
      const kernel = this.depthwiseKernel.read() as tf.Tensor4D;
      // TensorFlow has no dilated kernel on the CPU. Zeros between the taps give the same result.
      const apart = spread(kernel, this.dilationRate) as tf.Tensor4D;
      return finished(tf.depthwiseConv2d(x, apart, this.strides, this.padding), this);
    });
  }
}

type TransposeArgs = Parameters<typeof tfl.layers.conv2dTranspose>[0] & { outputPadding?: number | number[] | null };
const StockTranspose: StockClass<TransposeArgs, Fields> = stockClass(
  tfl.layers.conv2dTranspose({ name: "stock", filters: 1, kernelSize: 1 }),
);

/**
 * Keras' Conv2DTranspose with output padding or dilation. (tfjs-layers' own supports neither.)
 * `[n, h, w, c] -> [n, h', w', filters]`
 */
export class SizedConv2DTranspose extends StockTranspose {
  static override className = "SizedConv2DTranspose";
  readonly outputPadding: Sizes | undefined;

  constructor(args: TransposeArgs) {
    super(args);
    this.outputPadding = outputPaddingOf(args, 2);
  }

  override computeOutputShape(shape: Shape): Shape {
    const [batch, height, width] = oneShape(shape);
    return [batch ?? null, this.#length(height, 0), this.#length(width, 1), this.filters];
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const x = one(inputs) as tf.Tensor4D;
      const [batch, height, width] = x.shape;
      const size = [batch, this.#length(height, 0)!, this.#length(width, 1)!, this.filters] as const;
      const kernel = spread(this.kernel.read() as tf.Tensor4D, this.dilationRate) as tf.Tensor4D;
      return finished(tf.conv2dTranspose(x, kernel, [...size], this.strides, this.padding), this);
    });
  }

  override getConfig(): Config {
    return {
      ...super.getConfig(),
      dilationRate: [...this.dilationRate],
      outputPadding: this.outputPadding === undefined ? null : [...this.outputPadding],
    };
  }

  #length(size: number | null | undefined, axis: 0 | 1): number | null {
    return transposedLength(size, axis, this);
  }
}

/** Keras' output padding as one number an axis; undefined where the layer has none. */
function outputPaddingOf({ outputPadding }: Pick<TransposeArgs, "outputPadding">, axes: number): Sizes | undefined {
  if (outputPadding == null) return undefined;
  return typeof outputPadding === "number" ? Array.from({ length: axes }, () => outputPadding) : outputPadding;
}

/** The output's size along one axis. Source: keras/src/backend/common/backend_utils.py. */
function transposedLength(
  size: number | null | undefined,
  axis: number,
  layer: {
    readonly strides: Sizes;
    readonly kernelSize: Sizes;
    readonly dilationRate: Sizes;
    readonly padding: string;
    readonly outputPadding: Sizes | undefined;
  },
): number | null {
  if (size == null) return null;
  const { strides, kernelSize, dilationRate, padding, outputPadding } = layer;
  const [stride, reach] = [strides[axis]!, (kernelSize[axis]! - 1) * (dilationRate[axis] ?? 1) + 1];
  if (outputPadding === undefined) return size * stride + (padding === "same" ? 0 : Math.max(reach - stride, 0));
  const pads = padding === "same" ? 2 * Math.floor(reach / 2) : 0;
  return (size - 1) * stride + reach - pads + outputPadding[axis]!;
}

interface VolumeFields {
  readonly filters: number;
  readonly kernelSize: Sizes;
  readonly strides: [number, number, number];
  readonly dilationRate: Sizes;
  readonly padding: "same" | "valid";
  readonly activation: Fields["activation"];
  readonly kernel: tfl.LayerVariable;
  readonly bias: tfl.LayerVariable | null;
}

type Conv3DArgs = Parameters<typeof tfl.layers.conv3d>[0] & { groups?: number };
const StockConv3D = stockClass<Conv3DArgs, VolumeFields>(
  tfl.layers.conv3d({ name: "stock", filters: 1, kernelSize: 1 }),
);

/** Keras' Conv3D with groups or dilation. (tfjs-layers' own supports neither.) `[n, d, h, w, c] -> [n, d', h', w', filters]` */
export class GroupedConv3D extends StockConv3D {
  static override className = "GroupedConv3D";
  readonly groups: number;

  constructor(args: Conv3DArgs) {
    super(args);
    this.groups = args.groups ?? 1;
  }

  override build(inputShape: Shape): void {
    const shape = oneShape(inputShape);
    super.build([...shape.slice(0, -1), shape.at(-1)! / this.groups]);
    for (const spec of this.inputSpec as unknown as { axes?: object }[]) spec.axes = { [-1]: shape.at(-1)! };
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const xs = tf.split(one(inputs), this.groups, 4);
      const kernels = tf.split(spread(this.kernel.read(), this.dilationRate), this.groups, 4);
      const parts = xs.map((x, group) =>
        tf.conv3d(x as tf.Tensor5D, kernels[group]! as tf.Tensor5D, this.strides, this.padding),
      );
      return finished(tf.concat(parts, 4), this);
    });
  }

  override getConfig(): Config {
    return { ...super.getConfig(), groups: this.groups };
  }
}

type Transpose3DArgs = Parameters<typeof tfl.layers.conv3dTranspose>[0] & { outputPadding?: number | number[] | null };
const StockTranspose3D = stockClass<Transpose3DArgs, VolumeFields>(
  tfl.layers.conv3dTranspose({ name: "stock", filters: 1, kernelSize: 1 }),
);

/** Keras' Conv3DTranspose with output padding or dilation. (tfjs-layers' own supports neither.) */
export class SizedConv3DTranspose extends StockTranspose3D {
  static override className = "SizedConv3DTranspose";
  readonly outputPadding: Sizes | undefined;

  constructor(args: Transpose3DArgs) {
    super(args);
    this.outputPadding = outputPaddingOf(args, 3);
  }

  override computeOutputShape(shape: Shape): Shape {
    const [batch = null, ...sizes] = oneShape(shape);
    return [batch, ...sizes.slice(0, 3).map((size, axis) => transposedLength(size, axis, this)), this.filters];
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const x = one(inputs) as tf.Tensor5D;
      const size = this.computeOutputShape(x.shape) as [number, number, number, number, number];
      const kernel = spread(this.kernel.read(), this.dilationRate) as tf.Tensor5D;
      return finished(tf.conv3dTranspose(x, kernel, size, this.strides, this.padding), this);
    });
  }

  override getConfig(): Config {
    return {
      ...super.getConfig(),
      dilationRate: [...this.dilationRate],
      outputPadding: this.outputPadding === undefined ? null : [...this.outputPadding],
    };
  }
}

function finished(y: tf.Tensor, { bias, activation }: Pick<Fields, "bias" | "activation">): tf.Tensor {
  const sum = bias == null ? y : tf.add(y, bias.read());
  return activation == null ? sum : activation.apply(sum);
}

/** Inserts zeros between the taps: `[h, w, …] -> [(h - 1) rate + 1, (w - 1) rate + 1, …]`. */
export function spread(kernel: tf.Tensor, rates: Sizes): tf.Tensor {
  let out = kernel;
  for (const [axis, rate] of rates.entries()) {
    if (rate === 1) continue;
    const [size, inner] = [out.shape[axis]!, out.shape.slice(axis + 1)];
    const outer = out.shape.slice(0, axis);
    const apart = tf.pad(
      tf.reshape(out, [...outer, size, 1, ...inner]),
      [...outer, 0, 0, ...inner].map((_, index): [number, number] => [0, index === axis + 1 ? rate - 1 : 0]),
    );
    const joined = tf.reshape(apart, [...outer, size * rate, ...inner]);
    const starts = joined.shape.map(() => 0);
    out = tf.slice(joined, starts, [...outer, (size - 1) * rate + 1, ...inner]);
  }
  return out;
}
