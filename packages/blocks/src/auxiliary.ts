import { checkOptions } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import { avgPool, chain, classActivation, dense, dropout, flatten, ofKind } from "@convkit/core";
import type { Block, HeadOptions, UnnamedBlock } from "@convkit/core";
import { checkFlags, checkFunctions } from "@convkit/core/internal";
import { convRelu } from "./conv-unit.ts";
import type { ConvUnit } from "./conv-unit.ts";

export interface AuxiliaryOptions {
  /** The convolution: `convRelu` by default. */
  readonly unit?: ConvUnit | undefined;
  /** The pool: a 5x5 mean at stride 3 by default. */
  readonly pool?: Block | undefined;
}

const headNames: OptionNames<HeadOptions> = { classes: true, logits: true, dropout: true };

/**
 * An auxiliary classifier, whose loss gives gradients to the early layers: 5x5 mean at stride 3, 1x1 to 128 channels, 1024
 * units, dropout. `[n, h, w, c] -> [n, classes]`. Szegedy et al. 2014, section 5, https://arxiv.org/abs/1409.4842
 */
export function auxiliaryClassifier(options: HeadOptions, how: AuxiliaryOptions = {}): UnnamedBlock {
  checkOptions("auxiliaryClassifier", how, { unit: true, pool: true });
  const { unit = convRelu, pool = avgPool(5, 3, { padding: "valid" }) } = how;
  checkOptions("auxiliaryClassifier", options ?? null, headNames);
  const { dropout: rate = 0.7 } = options;
  checkFunctions("auxiliaryClassifier", { unit, pool });
  checkFlags("auxiliaryClassifier", { logits: options.logits });
  return ofKind(
    "aux",
    chain({
      pool,
      conv: unit(128, 1, { padding: "same" }),
      flatten: flatten(),
      fc1: dense(1024, { activation: "relu" }),
      dropout: dropout(rate),
      fc2: dense(options.classes, { activation: classActivation(options) }),
    }),
  );
}
