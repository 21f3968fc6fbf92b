import { preActivationBlock } from "@convkit/blocks";
import type { PreActivationPart } from "@convkit/blocks";
import { batchNorm, chain, conv, maxPool, relu, signedPixels, stage, zeroPad } from "@convkit/core";
import type { Block } from "@convkit/core";
import { averageHead } from "../shared/heads.ts";
import { counts, fromKeras } from "../shared/sources.ts";
import type { Counts, Network } from "../shared/sources.ts";

const imagenet = {
  paper: "He, Zhang, Ren, Sun 2016, Identity Mappings in Deep Residual Networks, https://arxiv.org/abs/1603.05027",
  input: [224, 224, 3],
  smallest: 32,
  classes: 1000,
  preprocessing: signedPixels,
  differs: "as in Keras, a stage's last block strides instead of its first",
} as const;

/** Keras' names of a block's parts. */
const parts: Readonly<Record<Exclude<PreActivationPart, "pool">, string>> = {
  preNorm: "preact_bn",
  preRelu: "preact_relu",
  conv1: "1_conv",
  norm1: "1_bn",
  relu1: "1_relu",
  pad2: "2_pad",
  conv2: "2_conv",
  norm2: "2_bn",
  relu2: "2_relu",
  conv3: "3_conv",
  project: "0_conv",
  add: "out",
};

/** Keras numbers the pools that are shortcuts. */
const pools: Readonly<Record<string, string>> = {
  conv2: "max_pooling2d",
  conv3: "max_pooling2d_1",
  conv4: "max_pooling2d_2",
};

// Blocks of each stage; weights, trainable weights, multiply-adds; top-1 and top-5 accuracy.
export const resnet50V2 = resnet(
  "resnet50v2",
  [3, 4, 6, 3],
  counts(25_613_800, 25_568_360, 3_482_255_360),
  [76.0, 93.0],
);
export const resnet101V2 = resnet(
  "resnet101v2",
  [3, 4, 23, 3],
  counts(44_675_560, 44_577_896, 7_194_476_544),
  [77.2, 93.8],
);
export const resnet152V2 = resnet(
  "resnet152v2",
  [3, 8, 36, 3],
  counts(60_380_648, 60_236_904, 10_906_697_728),
  [78.0, 94.2],
);

function resnet(
  name: string,
  depths: readonly [number, number, number, number],
  numbers: Counts,
  [top1, top5]: readonly [number, number],
): Network {
  const norm = { epsilon: 1.001e-5 };
  const naming = (path: string, part: PreActivationPart): string =>
    part === "pool" ? (pools[path.slice(0, 5)] ?? `${path}_pool`) : `${path}_${parts[part]}`;
  const blocks = (filters: number, count: number, stride: number): Block =>
    stage(count, (i) => preActivationBlock(filters, { norm, naming, stride: i === count - 1 ? stride : 1 }), {
      name: (path, i) => `${path}_block${i + 1}`,
    });
  return {
    name,
    ...imagenet,
    ...numbers,
    ...fromKeras(top1, top5, "Apache-2.0"),
    body: chain({
      conv1_pad: zeroPad(3),
      conv1_conv: conv(64, 7, { stride: 2, padding: "valid" }), //   112 x 112 x 64
      pool1_pad: zeroPad(1),
      pool1_pool: maxPool(3, 2, { padding: "valid" }), //             56 x 56 x 64
      conv2: blocks(64, depths[0], 2), //                             28 x 28 x 256
      conv3: blocks(128, depths[1], 2), //                            14 x 14 x 512
      conv4: blocks(256, depths[2], 2), //                             7 x 7 x 1024
      conv5: blocks(512, depths[3], 1), //                             7 x 7 x 2048
      post_bn: batchNorm(norm),
      post_relu: relu(),
    }),
    head: averageHead,
  };
}
