import { OptionError, checkOptions, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { explicitPads, pair, stockPadding } from "../../arithmetic/padding.ts";
import type { Padding, Pair } from "../../arithmetic/padding.ts";
import type { Window } from "../../arithmetic/output-size.ts";
import { sizeOf } from "../../block/block.ts";
import { ofKind } from "../../block/names.ts";
import type { UnnamedBlock } from "../../block/names.ts";
import { glorotUniform, initializer, zeros } from "../../init/initializers.ts";
import type { Init } from "../../init/initializers.ts";
import type { ShapedBlock, Times, Windowed } from "../../typed/shape-change.ts";
import { tfjsName } from "../activation.ts";
import type { ActivationName } from "../activation.ts";
import { checkActivation, checkFlags } from "../check-values.ts";
import { checkCount, checkFit, checkWindow } from "../check-window.ts";
import { Conv2D } from "./conv2d.ts";
import { SeparableConv2D } from "./separable-conv2d.ts";

export interface WindowOptions {
  /** No default: TensorFlow and PyTorch pad differently, and only the numbers show it. */
  readonly padding: Padding;
  /** Pixels between two positions of the window; 1 by default. */
  readonly stride?: number | Pair | undefined;
  /** Adds a learned number to each output channel; true by default. */
  readonly bias?: boolean | undefined;
  /** Activation after the convolution; none by default. */
  readonly activation?: ActivationName | undefined;
  /** Initial weights; `glorotUniform` by default, as in Keras; PyTorch's is uniform within 1 / sqrt(fan in). */
  readonly init?: Init | undefined;
  /** Initial bias; `zeros` by default, as in Keras; PyTorch draws the bias, too. */
  readonly biasInit?: Init | undefined;
}

export interface ConvOptions extends WindowOptions {
  /** Pixels between two taps of the window; 1 by default. */
  readonly dilation?: number | Pair | undefined;
  /** Groups of input channels, each with its own filters; 1 by default. */
  readonly groups?: number | undefined;
}

export interface DepthwiseOptions extends WindowOptions {
  /** Filters for each channel; 1 by default. */
  readonly multiplier?: number | undefined;
}

/** What the compiler knows of a window from its options. */
interface KnownWindow<Pads extends Padding, Stride extends number | Pair> {
  readonly padding: Pads;
  /** Pixels between two positions of the window; 1 by default. */
  readonly stride?: Stride | undefined;
}

const windowNames: OptionNames<WindowOptions> = {
  padding: true,
  stride: true,
  bias: true,
  activation: true,
  init: true,
  biasInit: true,
};
const convNames: OptionNames<ConvOptions> = { ...windowNames, dilation: true, groups: true };
const depthwiseNames: OptionNames<DepthwiseOptions> = { ...windowNames, multiplier: true };

/** Convolution: `[n, h, w, c] -> [n, h / stride, w / stride, filters]`. */
export function conv<
  const Filters extends number,
  const Kernel extends number | Pair,
  const Pads extends Padding,
  const Stride extends number | Pair = 1,
  const Dilation extends number | Pair = 1,
>(
  filters: Filters,
  kernel: Kernel,
  options: ConvOptions &
    KnownWindow<Pads, Stride> & {
      /** Pixels between two taps of the window; 1 by default. */
      readonly dilation?: Dilation | undefined;
    },
): ShapedBlock<Windowed<"conv", Filters, Kernel, Stride, Dilation, Pads>> {
  checkCount("conv", "filters", filters);
  checkOptions("conv", options, convNames);
  const { padding, stride = 1, dilation = 1, groups = 1, init = glorotUniform } = options ?? {};
  checkCount("conv", "groups", groups);
  checkLayerOptions("conv", options);
  return windowBlock("conv", "conv2d", { kernel, stride, padding, dilation }, (name, stock) => {
    const args = {
      ...layerArgs(name, kernel, options, stock),
      filters,
      dilationRate: [...pair(dilation)] as [number, number],
      kernelInitializer: initializer(init, `${name}/kernel`),
    };
    const skips = pair(kernel).every((size) => size === 1) && pair(stride).some((step) => step > 1);
    const isPlain = groups === 1 && pair(dilation).every((rate) => rate === 1) && !skips;
    return isPlain ? tfjs.conv2d(args) : new Conv2D({ ...args, groups });
  });
}

/** One filter (or `multiplier` filters) for each channel; one stride for both axes: `[n, h, w, c] -> [n, h / stride, w / stride, c * multiplier]`. */
export function depthwiseConv<
  const Kernel extends number | Pair,
  const Pads extends Padding,
  const Stride extends number | Pair = 1,
  const Multiplier extends number = 1,
>(
  kernel: Kernel,
  options: DepthwiseOptions &
    KnownWindow<Pads, Stride> & {
      /** Filters for each channel; 1 by default. */
      readonly multiplier?: Multiplier | undefined;
    },
): ShapedBlock<Windowed<"depthwiseConv", Times<Multiplier>, Kernel, Stride, 1, Pads>> {
  checkOptions("depthwiseConv", options, depthwiseNames);
  const { padding, stride = 1, multiplier = 1, init = glorotUniform } = options ?? {};
  checkCount("depthwiseConv", "multiplier", multiplier);
  checkLayerOptions("depthwiseConv", options);
  checkEqualStrides("depthwiseConv", stride);
  return windowBlock("depthwiseConv", "depthwise_conv2d", { kernel, stride, padding }, (name, stock) =>
    tfjs.depthwiseConv2d({
      ...layerArgs(name, kernel, options, stock),
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
export function separableConv<
  const Filters extends number,
  const Kernel extends number | Pair,
  const Pads extends Padding,
  const Stride extends number | Pair = 1,
>(
  filters: Filters,
  kernel: Kernel,
  options: DepthwiseOptions & KnownWindow<Pads, Stride>,
): ShapedBlock<Windowed<"separableConv", Filters, Kernel, Stride, 1, Pads>> {
  checkCount("separableConv", "filters", filters);
  checkOptions("separableConv", options, depthwiseNames);
  const { padding, stride = 1, multiplier = 1, init = glorotUniform } = options ?? {};
  checkCount("separableConv", "multiplier", multiplier);
  checkLayerOptions("separableConv", options);
  checkEqualStrides("separableConv", stride);
  return windowBlock(
    "separableConv",
    "separable_conv2d",
    { kernel, stride, padding },
    (name, stock) =>
      new SeparableConv2D({
        ...layerArgs(name, kernel, options, stock),
        filters,
        depthMultiplier: multiplier,
        depthwiseInitializer: initializer(init, `${name}/depthwise_kernel`),
        pointwiseInitializer: initializer(init, `${name}/pointwise_kernel`),
      }),
  );
}

/** Checks that the window fits, adds a layer `<name>.pad` for explicit padding, and applies the layer. */
function windowBlock(
  where: string,
  kind: string,
  window: Window,
  make: (name: string, padding: "same" | "valid") => tfl.layers.Layer,
): UnnamedBlock {
  checkWindow(where, window);
  const { kernel, stride = 1, padding, dilation = 1 } = window;
  return ofKind(kind, (x, name) => {
    checkFit(name, sizeOf(x), window);
    const stock = stockPadding(padding, pair(kernel), pair(stride), pair(dilation));
    if (stock !== undefined) return make(name, stock).apply(x) as tfl.SymbolicTensor;
    const pads = explicitPads(padding as Exclude<Padding, string>);
    const padded = tfjs.zeroPadding2d({
      name: `${name}.pad`,
      padding: pads as [[number, number], [number, number]],
    });
    return make(name, "valid").apply(padded.apply(x) as tfl.SymbolicTensor) as tfl.SymbolicTensor;
  });
}

function checkLayerOptions(where: string, { bias, activation = "linear" }: Partial<WindowOptions> = {}): void {
  checkFlags(where, { bias });
  checkActivation(where, activation);
}

/** TensorFlow's depthwise kernels have one stride for both axes, also in Keras. */
function checkEqualStrides(where: string, stride: number | Pair): void {
  if (Array.isArray(stride) && stride[0] !== stride[1]) {
    throw new OptionError(
      `${where}: expected one stride for both axes, since TensorFlow's depthwise convolution has no other, got ${shown(stride)}.`,
    );
  }
}

/** The tfjs-layers arguments of every layer with a window. */
function layerArgs(
  name: string,
  kernel: number | Pair,
  { stride = 1, bias = true, activation = "linear", biasInit = zeros }: WindowOptions,
  padding: "same" | "valid",
) {
  return {
    name,
    kernelSize: [...pair(kernel)],
    strides: [...pair(stride)] as [number, number],
    padding,
    activation: tfjsName(activation),
    useBias: bias,
    biasInitializer: initializer(biasInit, `${name}/bias`),
  };
}
