import { checkOptions } from "@convkit/errors";
import * as tfjs from "@convkit/core/platform";
import { layer } from "../../block/block.ts";
import { checkNumber } from "../check-values.ts";
import type { ShapedBlock, Unchanged } from "../../typed/shape-change.ts";

export interface LayerNormOptions {
  /** Added to the variance: 1e-3 by default, as in Keras; PyTorch's default is 1e-5. */
  readonly epsilon?: number | undefined;
}

/** Normalizes the channels of each position: shape unchanged, no batch statistics. Ba et al. 2016, https://arxiv.org/abs/1607.06450 */
export function layerNorm(options: LayerNormOptions = {}): ShapedBlock<Unchanged> {
  checkOptions("layerNorm", options, { epsilon: true });
  const { epsilon = 1e-3 } = options;
  checkNumber("layerNorm", "epsilon", epsilon, 0);
  return layer((name) => tfjs.layerNormalization({ name, axis: -1, epsilon }), "layer_normalization");
}
