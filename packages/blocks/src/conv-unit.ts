import { batchNorm, chain, conv, ofKind, relu } from "@convkit/core";
import type { BatchNormOptions, Block, ConvOptions, Pair } from "@convkit/core";

/** A convolution with norm and activation. A network chooses one and passes it to its blocks. */
export type ConvUnit = (filters: number, kernel: number | Pair, options: ConvOptions) => Block;

/** A convolution with bias and a ReLU in one layer, as in networks before batch normalization. */
export const convRelu: ConvUnit = (filters, kernel, options) =>
  conv(filters, kernel, { activation: "relu", ...options });

/** Convolution without bias, batch normalization, ReLU. Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167 */
export function convBnRelu(norm: BatchNormOptions = {}): ConvUnit {
  return (filters, kernel, options) =>
    ofKind(
      "conv_unit",
      chain({ conv: conv(filters, kernel, { bias: false, ...options }), bn: batchNorm(norm), relu: relu() }),
    );
}
