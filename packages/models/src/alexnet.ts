import {
  adaptiveAvgPool,
  chain,
  classActivation,
  conv,
  dense,
  dropout,
  flatten,
  maxPool,
  relu,
  torchPixels,
} from "@convkit/core";
import { fromTorchvision } from "./shared/sources.ts";
import type { Network } from "./shared/sources.ts";

const pool = maxPool(3, 2, { padding: "valid" });

export const alexnet: Network = {
  name: "alexnet",
  paper:
    "Krizhevsky 2014, One weird trick for parallelizing convolutional neural networks, https://arxiv.org/abs/1404.5997",
  input: [224, 224, 3],
  smallest: 63,
  classes: 1000,
  params: 61_100_840,
  trainable: 61_100_840,
  macs: 714_188_480,
  preprocessing: torchPixels,
  body: chain({
    features: chain({
      b0: conv(64, 11, { stride: 4, padding: 2 }), //   55 x 55 x 64
      b1: relu(),
      b2: pool, //                                      27 x 27 x 64
      b3: conv(192, 5, { padding: 2 }),
      b4: relu(),
      b5: pool, //                                      13 x 13 x 192
      b6: conv(384, 3, { padding: 1 }),
      b7: relu(),
      b8: conv(256, 3, { padding: 1 }),
      b9: relu(),
      b10: conv(256, 3, { padding: 1 }),
      b11: relu(),
      b12: pool, //                                      6 x 6 x 256
    }),
  }),
  head: (options) =>
    chain({
      avgpool: adaptiveAvgPool(6),
      flatten: flatten(),
      classifier: chain({
        b0: dropout(options.dropout ?? 0.5),
        b1: dense(4096),
        b2: relu(),
        b3: dropout(options.dropout ?? 0.5),
        b4: dense(4096),
        b5: relu(),
        b6: dense(options.classes, { activation: classActivation(options) }),
      }),
    }),
  ...fromTorchvision(56.522, 79.066),
  differs: "from Krizhevsky et al. 2012: one tower, no local response normalization (as torchvision)",
};
