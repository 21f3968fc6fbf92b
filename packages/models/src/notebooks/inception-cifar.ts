import { chain, classActivation, concat, conv, dense, flatten, maxPool, unitPixels } from "@convkit/core";
import { dropped } from "../shared/heads.ts";
import type { Network } from "../shared/sources.ts";

const relu = { activation: "relu", padding: "same" } as const;

/** One inception module at stride 2 and a classifier, for CIFAR-10. */
export const inceptionCifar10: Network = {
  name: "inception-cifar10",
  source: "notebook",
  paper: "after Szegedy et al. 2014, Going Deeper with Convolutions, https://arxiv.org/abs/1409.4842",
  input: [32, 32, 3],
  smallest: 1,
  classes: 10,
  params: 8_403_242,
  trainable: 8_403_242,
  macs: 10_744_832,
  preprocessing: unitPixels,
  body: concat({
    a: conv(16, 1, { stride: 2, ...relu }),
    b: chain({ reduce: conv(16, 1, relu), conv: conv(16, 3, { stride: 2, ...relu }) }),
    c: chain({ reduce: conv(16, 1, relu), conv: conv(16, 5, { stride: 2, ...relu }) }),
    d: chain({ pool: maxPool(3, 2, { padding: "same" }), conv: conv(16, 1, relu) }),
  }), //                            16 x 16 x 64
  head: (options) =>
    chain({
      flatten: flatten(), //        16384
      fc1: dense(512, { activation: "relu" }),
      ...dropped("dropout", options.dropout),
      predictions: dense(options.classes, { activation: classActivation(options) }),
    }),
};
