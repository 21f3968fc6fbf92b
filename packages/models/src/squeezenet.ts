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
import { fromTorchvision } from "./shared/sources.ts";
import type { Network } from "./shared/sources.ts";

const pool = maxPool(3, 2, { padding: "valid", ceil: true });

export const squeezenet11: Network = {
  name: "squeezenet1-1",
  paper:
    "Iandola et al. 2016, SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size, https://arxiv.org/abs/1602.07360",
  input: [224, 224, 3],
  smallest: 17,
  classes: 1000,
  params: 1_235_496,
  trainable: 1_235_496,
  macs: 349_151_936,
  preprocessing: torchPixels,
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
  head: (options) =>
    chain({
      classifier: chain({
        b0: dropout(options.dropout ?? 0.5),
        b1: conv(options.classes, 1, { padding: "valid", init: randomNormal(0.01) }),
        b2: relu(),
        b3: globalAvgPool(),
      }),
      ...(options.logits ? {} : { probabilities: activation(classActivation(options)) }),
    }),
  ...fromTorchvision(58.178, 80.624),
};
