import { OptionError, checkOptions, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import {
  add,
  avgPool,
  batchNorm,
  conv,
  identity,
  maxPool,
  named,
  padChannels,
  relu,
  sizeOf,
  ofKind,
} from "@convkit/core";
import type { BatchNormOptions, Block, Padding, Pair, UnnamedBlock } from "@convkit/core";
import { checkFunctions, checkWhole, withDropBlock } from "@convkit/core/internal";
import { dotted, steps } from "./naming.ts";
import type { Naming } from "./naming.ts";
import { strideBetween } from "./stride-between.ts";

/** The named parts of a residual block. */
export type ResidualPart =
  | "conv1"
  | "norm1"
  | "relu1"
  | "conv2"
  | "norm2"
  | "relu2"
  | "conv3"
  | "norm3"
  | "project"
  | "projectNorm"
  | "pool"
  | "add"
  | "out";

export interface BasicBlockOptions {
  /** Stride of one convolution of the main path and of the shortcut; 1 by default. */
  readonly stride?: number | Pair | undefined;
  /** Padding of the 3x3 convolutions: TensorFlow's "same" and PyTorch's 1 differ at stride 2. */
  readonly padding: Padding;
  /** Biases of the convolutions: false by default, as in PyTorch (Keras' ResNets have them). */
  readonly bias?: boolean | undefined;
  /** Options of every norm; Keras' defaults if missing. */
  readonly norm?: BatchNormOptions | undefined;
  /** Names the parts; `<path>.<part>` by default. */
  readonly naming?: Naming<ResidualPart> | undefined;
  /** The shortcut if the shape changes: `projection` by default. */
  readonly shortcut?: Shortcut | undefined;
}

export interface BottleneckOptions extends BasicBlockOptions {
  /** The convolution with the stride: the first 1x1 in the paper and Keras, the 3x3 in PyTorch ("v1.5"). */
  readonly strideOn: "1x1" | "3x3";
  /** Groups of the 3x3 convolution; 1 by default. */
  readonly groups?: number | undefined;
  /** Channels in the middle; `filters` by default. */
  readonly width?: number | undefined;
}

export interface ResidualOptions {
  /**
   * The main path's stride. If missing, it is computed from the sizes before and after the main path, which must be
   * known.
   */
  readonly stride?: number | Pair | undefined;
  /** Names the sum; `<path>.add` by default. */
  readonly naming?: ((path: string, part: "add") => string) | undefined;
}

/** Makes a shortcut that changes the shape, from `filters` and `stride` of the main path. */
export type Shortcut = (
  filters: number,
  stride: number | Pair,
  options: {
    readonly bias: boolean;
    readonly norm: BatchNormOptions;
    readonly naming: Naming<ResidualPart>;
  },
) => Block;

const basicNames: OptionNames<BasicBlockOptions> = {
  stride: true,
  padding: true,
  bias: true,
  norm: true,
  naming: true,
  shortcut: true,
};
const bottleneckNames: OptionNames<BottleneckOptions> = { ...basicNames, strideOn: true, groups: true, width: true };

/**
 * `main(x) + shortcut`. The shortcut is the input itself if `main` changes neither channels nor size, else
 * `project(filters, stride)` of the input. Throws an `OptionError` if no stride explains the sizes, or if they are
 * unknown and `stride` is missing.
 */
export function residual(
  main: Block,
  project: (filters: number, stride: number | Pair) => Block,
  options: ResidualOptions = {},
): UnnamedBlock {
  checkOptions("residual", options, { stride: true, naming: true });
  const { naming = dotted } = options;
  checkFunctions("residual", { main: main ?? null, project: project ?? null, naming });
  if (options.stride !== undefined) checkStride("residual", options.stride);
  return ofKind("residual", (x, name) => {
    const y = main(x, name);
    const [before, after] = [sizeOf(x), sizeOf(y)];
    const stride = options.stride ?? strideBetween(name, before, after);
    const strides = [stride].flat();
    const agree = before[2] === after[2] && strides.every((step) => step === 1);
    const shortcut = agree ? identity : project(after[2] as number, stride);
    return named(naming(name, "add"), add({ shortcut: () => shortcut(x, name), main: () => y }))(x, name);
  });
}

function checkStride(where: string, stride: number | Pair): void {
  const steps = Array.isArray(stride) && stride.length === 2 ? stride : [stride];
  for (const step of steps) checkWhole(where, "stride", step, 1);
}

/** A 1x1 convolution and a norm: option B of He 2015. */
export const projection: Shortcut = (filters, stride, { bias, norm, naming }) =>
  steps(naming, [
    ["project", conv(filters, 1, { stride, padding: "valid", bias })],
    ["projectNorm", batchNorm(norm)],
  ]);

/** A 1x1 convolution without a norm. */
export const plainProjection: Shortcut = (filters, stride, { bias, naming }) =>
  steps(naming, [["project", conv(filters, 1, { stride, padding: "valid", bias })]]);

/**
 * The mean of each 2x2 where the size changes, then a 1x1 convolution and a norm: ResNet-D of He et al. 2018, Bag of Tricks,
 * figure 2c, https://arxiv.org/abs/1812.01187
 */
export const averagedProjection: Shortcut = (filters, stride, { bias, norm, naming }) =>
  steps(naming, [
    ...([stride].flat().every((step) => step === 1)
      ? []
      : [["pool", avgPool(2, stride, { padding: "valid", ceil: true })] as const]),
    ["project", conv(filters, 1, { padding: "valid", bias })],
    ["projectNorm", batchNorm(norm)],
  ]);

/** Takes every other pixel and adds channels of zeros on both sides: option A of He 2015, without weights. */
export const zeroShortcut: Shortcut =
  (filters, stride, { naming }) =>
  (x, name) => {
    const missing = filters - (sizeOf(x)[2] as number);
    const before = Math.floor(missing / 2);
    return steps(naming, [
      ["pool", maxPool(1, stride, { padding: "valid" })],
      ["project", padChannels(before, missing - before)],
    ])(x, name);
  };

/**
 * Two 3x3 convolutions beside a shortcut: `[n, h, w, c] -> [n, h / stride, w / stride, filters]`.
 * He et al. 2015, figure 5 left, https://arxiv.org/abs/1512.03385
 */
export function basicBlock(filters: number, options: BasicBlockOptions): UnnamedBlock {
  checkOptions("basicBlock", options, basicNames);
  const { stride = 1, padding, bias = false, norm = {}, naming = dotted, shortcut = projection } = options ?? {};
  checkFunctions("basicBlock", { naming, shortcut });
  const main = steps(naming, [
    ["conv1", conv(filters, 3, { stride, padding, bias })],
    ["norm1", withDropBlock(batchNorm(norm))],
    ["relu1", relu()],
    ["conv2", conv(filters, 3, { padding, bias })],
    ["norm2", batchNorm(norm)],
  ]);
  return ofKind("basic_block", summed(main, stride, shortcut, { bias, norm, naming }));
}

/**
 * 1x1, 3x3 and 1x1 convolutions beside a shortcut: `[n, h, w, c] -> [n, h / stride, w / stride, 4 * filters]`.
 * He et al. 2015, figure 5 right, https://arxiv.org/abs/1512.03385; with `groups`, Xie et al. 2016, https://arxiv.org/abs/1611.05431
 */
export function bottleneckBlock(filters: number, options: BottleneckOptions): UnnamedBlock {
  checkOptions("bottleneckBlock", options, bottleneckNames);
  const { stride = 1, strideOn, padding, bias = false, norm = {} } = options ?? {};
  const { groups = 1, width = filters, naming = dotted, shortcut = projection } = options ?? {};
  checkWhole("bottleneckBlock", "filters", filters, 1);
  checkWhole("bottleneckBlock", "width", width, 1);
  checkFunctions("bottleneckBlock", { naming, shortcut });
  if (strideOn !== "1x1" && strideOn !== "3x3") {
    throw new OptionError(`bottleneckBlock: expected strideOn to be "1x1" or "3x3", got ${shown(strideOn)}.`);
  }
  const [first, second] = strideOn === "1x1" ? [stride, 1] : [1, stride];
  const main = steps(naming, [
    ["conv1", conv(width, 1, { stride: first, padding: "valid", bias })],
    ["norm1", batchNorm(norm)],
    ["relu1", relu()],
    ["conv2", conv(width, 3, { stride: second, padding, bias, groups })],
    ["norm2", withDropBlock(batchNorm(norm))],
    ["relu2", relu()],
    ["conv3", conv(4 * filters, 1, { padding: "valid", bias })],
    ["norm3", batchNorm(norm)],
  ]);
  return ofKind("bottleneck_block", summed(main, stride, shortcut, { bias, norm, naming }));
}

/** The sum of a block's main path and its shortcut, then a ReLU. */
function summed(main: Block, stride: number | Pair, shortcut: Shortcut, options: Parameters<Shortcut>[2]): Block {
  const sum = residual(main, (filters) => shortcut(filters, stride, options), { stride, naming: options.naming });
  return (x, name) => relu()(sum(x, name), options.naming(name, "out"));
}
