import * as tfl from "@tensorflow/tfjs-layers";
import { sizeOf } from "../../block/block.ts";
import type { Block } from "../../block/block.ts";
import { Conv2D } from "./conv2d.ts";
import { glorotUniform, initializer, zeros } from "../../init/initializers.ts";
import type { Init } from "../../init/initializers.ts";
import { outputShape } from "../../arithmetic/output-size.ts";
import type { Window } from "../../arithmetic/output-size.ts";
import { explicitPads, pair, stockPadding } from "../../arithmetic/padding.ts";
import type { Padding, Pair } from "../../arithmetic/padding.ts";
import { SeparableConv2D } from "./separable-conv2d.ts";

/** Names of tfjs-layers' activations. */
export type ActivationName = NonNullable<Parameters<typeof tfl.layers.dense>[0]["activation"]>;

export interface WindowOptions {
  /** Never implied: TensorFlow's and PyTorch's habits differ, and only the numbers show it. */
  padding: Padding;
  stride?: number | Pair;
  bias?: boolean;
  activation?: ActivationName;
  init?: Init;
  biasInit?: Init;
}

export interface ConvOptions extends WindowOptions {
  dilation?: number | Pair;
  groups?: number;
}

/** Convolution: `[n, h, w, c] -> [n, h / stride, w / stride, filters]`. */
export function conv(
  filters: number,
  kernel: number | Pair,
  {
    padding,
    stride = 1,
    dilation = 1,
    groups = 1,
    bias = true,
    activation = "linear",
    init = glorotUniform,
    biasInit = zeros,
  }: ConvOptions,
): Block {
  return windowBlock({ kernel, stride, padding, dilation }, (name, stock) => {
    const args = {
      ...shared(name, { kernel, stride, bias, activation, biasInit }, stock),
      filters,
      dilationRate: [...pair(dilation)] as [number, number],
      kernelInitializer: initializer(init, `${name}/kernel`),
    };
    const skips = pair(kernel).every((size) => size === 1) && pair(stride).some((step) => step > 1);
    const isPlain = groups === 1 && pair(dilation).every((rate) => rate === 1) && !skips;
    return isPlain ? tfl.layers.conv2d(args) : new Conv2D({ ...args, groups });
  });
}

/** One filter (or `multiplier` of them) for each channel: `[n, h, w, c] -> [n, h / stride, w / stride, c * multiplier]`. */
export function depthwiseConv(
  kernel: number | Pair,
  {
    padding,
    stride = 1,
    multiplier = 1,
    bias = true,
    activation = "linear",
    init = glorotUniform,
    biasInit = zeros,
  }: WindowOptions & { multiplier?: number },
): Block {
  return windowBlock({ kernel, stride, padding }, (name, stock) =>
    tfl.layers.depthwiseConv2d({
      ...shared(name, { kernel, stride, bias, activation, biasInit }, stock),
      kernelSize: [...pair(kernel)] as [number, number],
      depthMultiplier: multiplier,
      depthwiseInitializer: initializer(init, `${name}/depthwise_kernel`),
    }),
  );
}

/**
 * A depthwise convolution, then a 1x1 one, as one layer: `[n, h, w, c] -> [n, h / stride, w / stride, filters]`.
 * Chollet 2017, https://arxiv.org/abs/1610.02357
 */
export function separableConv(
  filters: number,
  kernel: number | Pair,
  {
    padding,
    stride = 1,
    multiplier = 1,
    bias = true,
    activation = "linear",
    init = glorotUniform,
    biasInit = zeros,
  }: WindowOptions & { multiplier?: number },
): Block {
  return windowBlock(
    { kernel, stride, padding },
    (name, stock) =>
      new SeparableConv2D({
        ...shared(name, { kernel, stride, bias, activation, biasInit }, stock),
        filters,
        depthMultiplier: multiplier,
        depthwiseInitializer: initializer(init, `${name}/depthwise_kernel`),
        pointwiseInitializer: initializer(init, `${name}/pointwise_kernel`),
      }),
  );
}

/** Checks that the window fits, puts explicit padding before it as a layer `<name>.pad`, and applies the layer. */
function windowBlock(window: Window, make: (name: string, padding: "same" | "valid") => tfl.layers.Layer): Block {
  return (x, name) => {
    fitting(name, sizeOf(x), window);
    const stock = stockPadding(
      window.padding,
      pair(window.kernel),
      pair(window.stride ?? 1),
      pair(window.dilation ?? 1),
    );
    if (stock !== undefined) return make(name, stock).apply(x) as tfl.SymbolicTensor;
    const pads = explicitPads(window.padding as Exclude<Padding, string>);
    const padded = tfl.layers.zeroPadding2d({
      name: `${name}.pad`,
      padding: pads as [[number, number], [number, number]],
    });
    return make(name, "valid").apply(padded.apply(x) as tfl.SymbolicTensor) as tfl.SymbolicTensor;
  };
}

/** Throws, naming the layer, where a window does not fit into its input. */
export function fitting(name: string, size: readonly (number | null)[], window: Window): void {
  if (size.length !== 3) throw new Error(`${name}: expected a feature map [h, w, c], got [${size.join(", ")}]`);
  try {
    outputShape(size, window);
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
  }
}

function shared(
  name: string,
  {
    kernel,
    stride,
    bias,
    activation,
    biasInit,
  }: { kernel: number | Pair; stride: number | Pair; bias: boolean; activation: ActivationName; biasInit: Init },
  padding: "same" | "valid",
) {
  return {
    name,
    kernelSize: [...pair(kernel)],
    strides: [...pair(stride)] as [number, number],
    padding,
    activation,
    useBias: bias,
    biasInitializer: initializer(biasInit, `${name}/bias`),
  };
}
