import { fire } from "@convkit/blocks";
import {
  activation,
  chain,
  classActivation,
  conv,
  dropout,
  globalAvgPool,
  heUniform,
  maxPool,
  randomNormal,
  relu,
  torchPixels,
} from "@convkit/core";
import type { Block, HeadOptions } from "@convkit/core";
import { fromTorchvision } from "./shared/sources.ts";
import type { Network } from "./shared/sources.ts";

const pool = maxPool(3, 2, { padding: "valid", ceil: true });

const imagenet = {
  paper:
    "Iandola et al. 2016, SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size, https://arxiv.org/abs/1602.07360",
  input: [224, 224, 3],
  classes: 1000,
  preprocessing: torchPixels,
  head: (options: HeadOptions): Block =>
    chain({
      classifier: chain({
        b0: dropout(options.dropout ?? 0.5),
        b1: conv(options.classes, 1, { padding: "valid", init: randomNormal(0.01) }),
        b2: relu(),
        b3: globalAvgPool(),
      }),
      ...(options.logits ? {} : { probabilities: activation(classActivation(options)) }),
    }),
} as const;

export const squeezenet10: Network = {
  name: "squeezenet1-0",
  ...imagenet,
  smallest: 21,
  params: 1_248_424,
  trainable: 1_248_424,
  macs: 818_924_576,
  body: chain({
    features: chain({
      b0: conv(96, 7, { stride: 2, padding: "valid", init: heUniform }), //   109 x 109 x 96
      b1: relu(),
      b2: pool, //                                                             54 x 54 x 96
      b3: fire(16, 64),
      b4: fire(16, 64),
      b5: fire(32, 128),
      b6: pool, //                                                             27 x 27 x 256
      b7: fire(32, 128),
      b8: fire(48, 192),
      b9: fire(48, 192),
      b10: fire(64, 256),
      b11: pool, //                                                            13 x 13 x 512
      b12: fire(64, 256), //                                                   13 x 13 x 512
    }),
  }),
  ...fromTorchvision(58.092, 80.42),
};

export const squeezenet11: Network = {
  name: "squeezenet1-1",
  ...imagenet,
  smallest: 17,
  params: 1_235_496,
  trainable: 1_235_496,
  macs: 349_151_936,
  body: chain({
    features: chain({
      b0: conv(64, 3, { stride: 2, padding: "valid", init: heUniform }), //   111 x 111 x 64
      b1: relu(),
      b2: pool, //                                                             55 x 55 x 64
      b3: fire(16, 64),
      b4: fire(16, 64),
      b5: pool, //                                                             27 x 27 x 128
      b6: fire(32, 128),
      b7: fire(32, 128),
      b8: pool, //                                                             13 x 13 x 256
      b9: fire(48, 192),
      b10: fire(48, 192),
      b11: fire(64, 256),
      b12: fire(64, 256), //                                                   13 x 13 x 512
    }),
  }),
  ...fromTorchvision(58.178, 80.624),
};
