import { chain, concat, conv, ofKind } from "@convkit/core";
import type { UnnamedBlock } from "@convkit/core";

const relu = { padding: "same", activation: "relu" } as const;

/**
 * A 1x1 convolution to few channels, then 1x1 and 3x3 side by side: `[n, h, w, c] -> [n, h, w, 2 * expand]`.
 * Iandola et al. 2016, https://arxiv.org/abs/1602.07360
 */
export function fire(squeeze: number, expand: number): UnnamedBlock {
  const rest = concat({ expand1x1: conv(expand, 1, relu), expand3x3: conv(expand, 3, relu) });
  return ofKind("fire", (x, name) => rest(chain({ squeeze: conv(squeeze, 1, relu) })(x, name), name));
}
