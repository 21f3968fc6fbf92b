import { miniXceptionBlock } from "@convkit/blocks";
import { chain, classActivation, conv, dense, dropout, globalAvgPool, rawPixels, rescale } from "@convkit/core";
import type { Network } from "../shared/sources.ts";

/** A small Xception for photographs of cats and dogs. */
export const miniXception: Network = {
  name: "mini-xception",
  source: "notebook",
  paper:
    "Chollet 2021, Deep Learning with Python, second edition, section 9.3.5, https://www.manning.com/books/deep-learning-with-python-second-edition",
  input: [180, 180, 3],
  smallest: 5,
  classes: 1,
  params: 721_857,
  trainable: 718_849,
  macs: 383_028_992,
  preprocessing: rawPixels,
  augmentation: { flip: "horizontal", rotation: 0.1, zoom: 0.2 },
  body: chain({
    rescaling: rescale(1 / 255),
    conv: conv(32, 5, { padding: "valid", bias: false }), //   176 x 176 x 32
    block1: miniXceptionBlock(32), //                           88 x 88 x 32
    block2: miniXceptionBlock(64), //                           44 x 44 x 64
    block3: miniXceptionBlock(128), //                          22 x 22 x 128
    block4: miniXceptionBlock(256), //                          11 x 11 x 256
    block5: miniXceptionBlock(512), //                           6 x 6 x 512
  }),
  head: (options) =>
    chain({
      pool: globalAvgPool(),
      dropout: dropout(options.dropout ?? 0.5),
      predictions: dense(options.classes, { activation: classActivation(options) }),
    }),
};
