import { preActivationBlock } from "@convkit/blocks";
import type { PreActivationPart } from "@convkit/blocks";
import {
  activation,
  batchNorm,
  chain,
  classActivation,
  conv,
  flatten,
  globalAvgPool,
  heNormalFanOut,
  maxPool,
  relu,
  signedPixels,
  stage,
} from "@convkit/core";
import type { Block } from "@convkit/core";
import { dropped } from "../shared/heads.ts";
import { counts, fromTimm } from "../shared/sources.ts";
import type { Counts, Network } from "../shared/sources.ts";

const imagenet = {
  paper: "He, Zhang, Ren, Sun 2016, Identity Mappings in Deep Residual Networks, https://arxiv.org/abs/1603.05027",
  input: [224, 224, 3],
  smallest: 1,
  classes: 1000,
  preprocessing: signedPixels,
  differs: "from Keras': a stage's first block strides instead of its last, no biases, epsilon 1e-5",
} as const;
const norm = { epsilon: 1e-5, momentum: 0.9 };

/** timm's names of a block's parts. */
const parts: Readonly<Record<PreActivationPart, string>> = {
  preNorm: "norm1",
  preRelu: "relu1",
  conv1: "conv1",
  norm1: "norm2",
  relu1: "relu2",
  pad2: "pad2",
  conv2: "conv2",
  norm2: "norm3",
  relu2: "relu3",
  conv3: "conv3",
  project: "downsample.conv",
  pool: "downsample.pool",
  add: "add",
};

// Blocks of each stage; weights, trainable weights, multiply-adds.
export const resnet50V2Timm = resnet("resnet50v2-timm", [3, 4, 6, 3], counts(25_594_792, 25_549_352, 4_089_184_256));

function resnet(name: string, depths: readonly [number, number, number, number], numbers: Counts): Network {
  const naming = (path: string, part: PreActivationPart): string => `${path}.${parts[part]}`;
  const blocks = (filters: number, count: number, stride: number): Block =>
    stage(count, (i) => preActivationBlock(filters, { bias: false, norm, naming, stride: i === 0 ? stride : 1 }), {
      name: (path, i) => `${path}.blocks.b${i}`,
    });
  return {
    name,
    ...imagenet,
    ...numbers,
    ...fromTimm(),
    stages: ["stem.conv", ...[0, 1, 2].map((i) => `stages.b${i}.blocks.b${depths[i]! - 1}.add`), "relu"],
    body: chain({
      stem: chain({
        conv: conv(64, 7, { stride: 2, padding: 3, bias: false, init: heNormalFanOut }), //   112 x 112 x 64
        pool: maxPool(3, 2, { padding: 1 }), //                                                 56 x 56 x 64
      }),
      stages: chain({
        b0: blocks(64, depths[0], 1), //                                                        56 x 56 x 256
        b1: blocks(128, depths[1], 2), //                                                       28 x 28 x 512
        b2: blocks(256, depths[2], 2), //                                                       14 x 14 x 1024
        b3: blocks(512, depths[3], 2), //                                                        7 x 7 x 2048
      }),
      norm: batchNorm(norm),
      relu: relu(),
    }),
    // timm's head is a convolution over the one pixel of the mean.
    head: (options) =>
      chain({
        head: chain({
          global_pool: globalAvgPool({ keepSize: true }),
          ...dropped("drop", options.dropout),
          fc: conv(options.classes, 1, { padding: "valid" }),
          flatten: flatten(),
        }),
        ...(options.logits ? {} : { probabilities: activation(classActivation(options)) }),
      }),
  };
}
