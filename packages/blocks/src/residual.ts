import { add, batchNorm, conv, identity, maxPool, named, padChannels, relu, sizeOf } from "@convkit/core";
import type { BatchNormOptions, Block, Padding } from "@convkit/core";
import { dotted, steps } from "./naming.ts";
import type { Naming } from "./naming.ts";

/** Parts of a residual block that have names. */
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

export interface ResidualOptions {
  stride?: number;
  /** Around the 3x3 convolutions: TensorFlow's "same" and PyTorch's 1 differ at stride 2. */
  padding: Padding;
  bias?: boolean;
  norm?: BatchNormOptions;
  naming?: Naming<ResidualPart>;
  shortcut?: Shortcut;
}

/** What brings a map to another size, where the shapes differ: from `filters` and `stride` of the main path. */
export type Shortcut = (
  filters: number,
  stride: number,
  options: { bias: boolean; norm: BatchNormOptions; naming: Naming<ResidualPart> },
) => Block;

/** `main(x) + shortcut`: the input itself where the shapes agree, else `project(filters, stride)` of it. */
export function residual(
  main: Block,
  project: (filters: number, stride: number) => Block,
  addName: (name: string, part: "add") => string = dotted,
): Block {
  return (x, name) => {
    const y = main(x, name);
    const [before, after] = [sizeOf(x), sizeOf(y)];
    const agree = before.every((size, axis) => size === after[axis]);
    const stride = before[0] == null || after[0] == null ? 1 : Math.round(before[0] / after[0]);
    const shortcut = agree ? identity : project(after[2] as number, stride);
    return named(addName(name, "add"), add({ shortcut: () => shortcut(x, name), main: () => y }))(x, name);
  };
}

/** A 1x1 convolution and a norm: option B of He 2015. */
export const projection: Shortcut = (filters, stride, { bias, norm, naming }) =>
  steps(naming, [
    ["project", conv(filters, 1, { stride, padding: "valid", bias })],
    ["projectNorm", batchNorm(norm)],
  ]);

/** A 1x1 convolution alone. */
export const plainProjection: Shortcut = (filters, stride, { bias, naming }) =>
  steps(naming, [["project", conv(filters, 1, { stride, padding: "valid", bias })]]);

/** Every other pixel, and channels of zeros on both sides: option A of He 2015, no weights. */
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
export function basicBlock(
  filters: number,
  { stride = 1, padding, bias = false, norm = {}, naming = dotted, shortcut = projection }: ResidualOptions,
): Block {
  const main = steps(naming, [
    ["conv1", conv(filters, 3, { stride, padding, bias })],
    ["norm1", batchNorm(norm)],
    ["relu1", relu()],
    ["conv2", conv(filters, 3, { padding, bias })],
    ["norm2", batchNorm(norm)],
  ]);
  const sum = residual(main, (filters, stride) => shortcut(filters, stride, { bias, norm, naming }), naming);
  return (x, name) => relu()(sum(x, name), naming(name, "out"));
}

/**
 * 1x1, 3x3 and 1x1 convolutions beside a shortcut: `[n, h, w, c] -> [n, h / stride, w / stride, 4 * filters]`.
 * He et al. 2015, figure 5 right. The paper strides the first 1x1 (Keras too), PyTorch the 3x3 ("v1.5"). With `groups`,
 * `width` channels in the middle: Xie et al. 2016, https://arxiv.org/abs/1611.05431
 */
export function bottleneckBlock(
  filters: number,
  {
    stride = 1,
    strideOn,
    padding,
    bias = false,
    norm = {},
    groups = 1,
    width = filters,
    naming = dotted,
    shortcut = projection,
  }: ResidualOptions & { strideOn: "1x1" | "3x3"; groups?: number; width?: number },
): Block {
  const [first, second] = strideOn === "1x1" ? [stride, 1] : [1, stride];
  const main = steps(naming, [
    ["conv1", conv(width, 1, { stride: first, padding: "valid", bias })],
    ["norm1", batchNorm(norm)],
    ["relu1", relu()],
    ["conv2", conv(width, 3, { stride: second, padding, bias, groups })],
    ["norm2", batchNorm(norm)],
    ["relu2", relu()],
    ["conv3", conv(4 * filters, 1, { padding: "valid", bias })],
    ["norm3", batchNorm(norm)],
  ]);
  const sum = residual(main, (filters, stride) => shortcut(filters, stride, { bias, norm, naming }), naming);
  return (x, name) => relu()(sum(x, name), naming(name, "out"));
}
