import { checkOptions } from "@convkit/errors";
import { add, batchNorm, chain, conv, maxPool, ofKind, relu, separableConv } from "@convkit/core";
import type { Pair, UnnamedBlock } from "@convkit/core";

export interface SeparableUnitOptions {
  /** Stride of the depthwise convolution, padded as TensorFlow's "same"; 1 by default. */
  readonly stride?: number | Pair | undefined;
}

const same = { padding: "same", bias: false } as const;

/**
 * Norm, ReLU and a separable 3x3 convolution, twice, then a maximum at stride 2, beside a strided 1x1 convolution:
 * `[n, h, w, c] -> [n, h / 2, w / 2, filters]`. Chollet 2021, Deep Learning with Python, second edition, section 9.3.5
 */
export function miniXceptionBlock(filters: number): UnnamedBlock {
  return ofKind(
    "xception_block",
    add({
      main: chain({
        bn1: batchNorm(),
        relu1: relu(),
        sep1: separableConv(filters, 3, same),
        bn2: batchNorm(),
        relu2: relu(),
        sep2: separableConv(filters, 3, same),
        pool: maxPool(3, 2, { padding: "same" }),
      }),
      shortcut: conv(filters, 1, { stride: 2, ...same }),
    }),
  );
}

/** Depthwise 3x3 and pointwise 1x1, each with norm and ReLU: `[n, h, w, c] -> [n, h / stride, w / stride, filters]`. */
export function separableUnit(filters: number, options: SeparableUnitOptions = {}): UnnamedBlock {
  checkOptions("separableUnit", options, { stride: true });
  const { stride = 1 } = options;
  return ofKind(
    "separable_unit",
    chain({ sep: separableConv(filters, 3, { stride, ...same }), bn: batchNorm(), relu: relu() }),
  );
}
