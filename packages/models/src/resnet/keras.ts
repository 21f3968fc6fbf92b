import { bottleneckBlock } from "@convkit/blocks";
import type { ResidualPart } from "@convkit/blocks";
import { batchNorm, caffePixels, chain, conv, maxPool, relu, stage, zeroPad } from "@convkit/core";
import type { Block } from "@convkit/core";
import { averageHead } from "../shared/heads.ts";
import { counts, fromKeras } from "../shared/sources.ts";
import type { Counts, Network } from "../shared/sources.ts";

const imagenet = {
  paper: "He, Zhang, Ren, Sun 2015, Deep Residual Learning for Image Recognition, https://arxiv.org/abs/1512.03385",
  input: [224, 224, 3],
  smallest: 32,
  classes: 1000,
  preprocessing: caffePixels,
  differs: "from torchvision's: biases, stride on the first 1x1 (as in the paper), epsilon 1.001e-5",
} as const;

/** Keras' names of a block's parts. */
const parts: Readonly<Record<ResidualPart, string>> = {
  conv1: "1_conv",
  norm1: "1_bn",
  relu1: "1_relu",
  conv2: "2_conv",
  norm2: "2_bn",
  relu2: "2_relu",
  conv3: "3_conv",
  norm3: "3_bn",
  project: "0_conv",
  projectNorm: "0_bn",
  pool: "0_pool",
  add: "add",
  out: "out",
};

const license = "MIT, Kaiming He";

// Blocks of each stage; weights, trainable weights, multiply-adds; top-1 and top-5 accuracy.
export const resnet50 = resnet("resnet50", [3, 4, 6, 3], counts(25_636_712, 25_583_592, 3_857_973_248), [74.9, 92.1]);
export const resnet101 = resnet(
  "resnet101",
  [3, 4, 23, 3],
  counts(44_707_176, 44_601_832, 7_570_194_432),
  [76.4, 92.8],
);
export const resnet152 = resnet(
  "resnet152",
  [3, 8, 36, 3],
  counts(60_419_944, 60_268_520, 11_282_415_616),
  [76.6, 93.1],
);

function resnet(
  name: string,
  depths: readonly [number, number, number, number],
  numbers: Counts,
  [top1, top5]: readonly [number, number],
): Network {
  const norm = { epsilon: 1.001e-5 };
  const naming = (path: string, part: ResidualPart): string => `${path}_${parts[part]}`;
  const block = { padding: "same", strideOn: "1x1", bias: true, norm, naming } as const;
  const blocks = (filters: number, count: number, stride: number): Block =>
    stage(count, (i) => bottleneckBlock(filters, { ...block, stride: i === 0 ? stride : 1 }), {
      name: (path, i) => `${path}_block${i + 1}`,
    });
  return {
    name,
    ...imagenet,
    ...numbers,
    ...fromKeras(top1, top5, license),
    body: chain({
      conv1_pad: zeroPad(3),
      conv1_conv: conv(64, 7, { stride: 2, padding: "valid" }), //   112 x 112 x 64
      conv1_bn: batchNorm(norm),
      conv1_relu: relu(),
      pool1_pad: zeroPad(1),
      pool1_pool: maxPool(3, 2, { padding: "valid" }), //             56 x 56 x 64
      conv2: blocks(64, depths[0], 1), //                             56 x 56 x 256
      conv3: blocks(128, depths[1], 2), //                            28 x 28 x 512
      conv4: blocks(256, depths[2], 2), //                            14 x 14 x 1024
      conv5: blocks(512, depths[3], 2), //                             7 x 7 x 2048
    }),
    head: averageHead,
  };
}
