import { bookResidual } from "@convkit/blocks";
import { chain, classActivation, dense, globalAvgPool, rawPixels, rescale } from "@convkit/core";
import { dropped } from "../shared/heads.ts";
import type { Network } from "../shared/sources.ts";

/** Three residual blocks with and without pooling. */
export const residualStack: Network = {
  name: "residual-stack",
  source: "notebook",
  paper:
    "Chollet 2021, Deep Learning with Python, second edition, section 9.3.2, https://www.manning.com/books/deep-learning-with-python-second-edition",
  input: [32, 32, 3],
  smallest: 1,
  classes: 1,
  params: 297_697,
  trainable: 297_697,
  macs: 39_313_536,
  preprocessing: rawPixels,
  body: chain({
    rescaling: rescale(1 / 255),
    block1: bookResidual(32, { pooling: true }), //   16 x 16 x 32
    block2: bookResidual(64, { pooling: true }), //    8 x 8 x 64
    block3: bookResidual(128), //                      8 x 8 x 128
  }),
  head: (options) =>
    chain({
      pool: globalAvgPool(),
      ...dropped("dropout", options.dropout),
      predictions: dense(options.classes, { activation: classActivation(options) }),
    }),
};
