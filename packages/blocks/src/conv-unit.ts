import { batchNorm, chain, conv, relu } from "@convkit/core";
import type { BatchNormOptions, Block, ConvOptions, Pair } from "@convkit/core";

/** A convolution with all that goes with it: bound once in a network and handed to its blocks. */
export type ConvUnit = (filters: number, kernel: number | Pair, options: ConvOptions) => Block;

/** A convolution with bias, then a ReLU, in one layer: before batch normalisation. */
export const convRelu: ConvUnit = (filters, kernel, options) =>
  conv(filters, kernel, { activation: "relu", ...options });

/** Convolution without bias, batch normalisation, ReLU. Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167 */
export function convBnRelu(norm: BatchNormOptions = {}): ConvUnit {
  return (filters, kernel, options) =>
    chain({ conv: conv(filters, kernel, { bias: false, ...options }), bn: batchNorm(norm), relu: relu() });
}
