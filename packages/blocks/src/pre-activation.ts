import { checkOptions } from "@convkit/errors";
import { add, batchNorm, chain, conv, identity, maxPool, named, ofKind, relu, sizeOf, zeroPad } from "@convkit/core";
import type { BatchNormOptions, Pair, UnnamedBlock } from "@convkit/core";
import { checkFlags, checkFunctions } from "@convkit/core/internal";
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

export interface PreActivationOptions {
  /** Stride of the 3x3 convolution and of the shortcut; 1 by default. */
  readonly stride?: number | Pair | undefined;
  /** Biases of the last convolution and of the shortcut's: true by default, as in Keras; timm has none. */
  readonly bias?: boolean | undefined;
  /** Options of every norm; Keras' defaults if missing. */
  readonly norm?: BatchNormOptions | undefined;
  /** Names the parts; `<path>.<part>` by default. */
  readonly naming?: Naming<PreActivationPart> | undefined;
}

export interface BookResidualOptions {
  /** Halves the size with a 2x2 maximum; false by default. */
  readonly pooling?: boolean | undefined;
}

/**
 * A bottleneck with its norms and ReLUs before the convolutions, so that nothing follows the sum:
 * `[n, h, w, c] -> [n, h / stride, w / stride, 4 * filters]`. Where only the size changes, the shortcut takes every other pixel;
 * where the channels change, it is a 1x1 convolution of the activated input. The 3x3 convolution is padded by 1 on each side,
 * as in Keras and PyTorch. He et al. 2016, figure 4e, https://arxiv.org/abs/1603.05027
 */
export function preActivationBlock(filters: number, options: PreActivationOptions = {}): UnnamedBlock {
  checkOptions("preActivationBlock", options, { stride: true, bias: true, norm: true, naming: true });
  const { stride = 1, bias = true, norm = {}, naming = dotted } = options;
  checkFlags("preActivationBlock", { bias });
  checkFunctions("preActivationBlock", { naming });
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
    ["conv3", conv(4 * filters, 1, { padding: "valid", bias })],
  ]);
  return ofKind("preactivation_block", (x, name) => {
    const active = activate(x, name);
    const widens = sizeOf(x)[2] !== 4 * filters;
    const shrunk = [stride].flat().every((step) => step === 1) ? identity : maxPool(1, stride, { padding: "valid" });
    const project = conv(4 * filters, 1, { stride, padding: "valid", bias });
    const shortcut = widens ? project(active, naming(name, "project")) : shrunk(x, naming(name, "pool"));
    return named(naming(name, "add"), add({ shortcut: () => shortcut, main: () => main(active, name) }))(x, name);
  });
}

/**
 * Two 3x3 convolutions with ReLU, with `pooling` a 2x2 maximum, beside a 1x1 convolution where the shape changes:
 * `[n, h, w, c] -> [n, h / 2, w / 2, filters]`. Chollet 2021, Deep Learning with Python, second edition, section 9.3.2
 */
export function bookResidual(filters: number, options: BookResidualOptions = {}): UnnamedBlock {
  checkOptions("bookResidual", options, { pooling: true });
  const { pooling = false } = options;
  checkFlags("bookResidual", { pooling });
  const same = { padding: "same" } as const;
  const convs = {
    conv1: conv(filters, 3, { ...same, activation: "relu" }),
    conv2: conv(filters, 3, { ...same, activation: "relu" }),
  };
  const main = chain(pooling ? { ...convs, pool: maxPool(2, 2, same) } : convs);
  const project = conv(filters, 1, { stride: pooling ? 2 : 1, padding: "valid" });
  return ofKind("residual", (x, name) => {
    const keeps = !pooling && sizeOf(x)[2] === filters;
    return add({ main, shortcut: keeps ? identity : project })(x, name);
  });
}
