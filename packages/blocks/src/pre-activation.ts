import { add, batchNorm, chain, conv, identity, maxPool, named, relu, sizeOf, zeroPad } from "@convkit/core";
import type { BatchNormOptions, Block } from "@convkit/core";
import { dotted, steps } from "./naming.ts";
import type { Naming } from "./naming.ts";

export type PreActivationPart =
  | "preNorm"
  | "preRelu"
  | "conv1"
  | "norm1"
  | "relu1"
  | "pad2"
  | "conv2"
  | "norm2"
  | "relu2"
  | "conv3"
  | "project"
  | "pool"
  | "add";

/**
 * A bottleneck whose norm and ReLU stand before the convolutions, so that the sum passes untouched:
 * `[n, h, w, c] -> [n, h / stride, w / stride, 4 * filters]`. A shortcut that only shrinks takes every other pixel; one that
 * widens is a 1x1 convolution of the activated input. He et al. 2016, figure 4e, https://arxiv.org/abs/1603.05027
 */
export function preActivationBlock(
  filters: number,
  {
    stride = 1,
    norm = {},
    naming = dotted,
  }: { stride?: number; norm?: BatchNormOptions; naming?: Naming<PreActivationPart> } = {},
): Block {
  const activate = steps(naming, [
    ["preNorm", batchNorm(norm)],
    ["preRelu", relu()],
  ]);
  const main = steps(naming, [
    ["conv1", conv(filters, 1, { padding: "valid", bias: false })],
    ["norm1", batchNorm(norm)],
    ["relu1", relu()],
    ["pad2", zeroPad(1)],
    ["conv2", conv(filters, 3, { stride, padding: "valid", bias: false })],
    ["norm2", batchNorm(norm)],
    ["relu2", relu()],
    ["conv3", conv(4 * filters, 1, { padding: "valid" })],
  ]);
  return (x, name) => {
    const active = activate(x, name);
    const widens = sizeOf(x)[2] !== 4 * filters;
    const shrunk = stride === 1 ? identity : maxPool(1, stride, { padding: "valid" });
    const project = conv(4 * filters, 1, { stride, padding: "valid" });
    const shortcut = widens ? project(active, naming(name, "project")) : shrunk(x, naming(name, "pool"));
    return named(naming(name, "add"), add({ shortcut: () => shortcut, main: () => main(active, name) }))(x, name);
  };
}

/**
 * Two 3x3 convolutions with ReLU, then a 2x2 maximum where `pooling`, beside a plain 1x1 convolution where the shape changes:
 * `[n, h, w, c] -> [n, h / 2, w / 2, filters]`. Chollet 2021, Deep Learning with Python, second edition, section 9.3.2
 */
export function bookResidual(filters: number, { pooling = false }: { pooling?: boolean } = {}): Block {
  const same = { padding: "same" } as const;
  const convs = {
    conv1: conv(filters, 3, { ...same, activation: "relu" }),
    conv2: conv(filters, 3, { ...same, activation: "relu" }),
  };
  const main = chain(pooling ? { ...convs, pool: maxPool(2, 2, same) } : convs);
  const project = conv(filters, 1, { stride: pooling ? 2 : 1, padding: "valid" });
  return (x, name) => {
    const keeps = !pooling && sizeOf(x)[2] === filters;
    return add({ main, shortcut: keeps ? identity : project })(x, name);
  };
}
