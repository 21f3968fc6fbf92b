import { bottleneckBlock } from "@convkit/blocks";
import type { ResidualPart } from "@convkit/blocks";
import { batchNorm, caffePixels, chain, conv, maxPool, relu, zeroPad } from "@convkit/core";
import type { Architecture, Block } from "@convkit/core";
import { averageHead } from "../shared/heads.ts";
import { kerasWeights } from "../shared/sources.ts";

const imagenet = {
  paper: "He, Zhang, Ren, Sun 2015, Deep Residual Learning for Image Recognition, https://arxiv.org/abs/1512.03385",
  input: [224, 224, 3],
  smallest: 32,
  classes: 1000,
  preprocessing: caffePixels,
  differs: "from torchvision's: biases, stride on the first 1x1 (as in the paper), epsilon 1.001e-5",
} as const;

export const resnet50: Architecture = {
  name: "resnet50",
  ...imagenet,
  params: 25_636_712,
  trainable: 25_583_592,
  macs: 3_857_973_248,
  ...resnet([3, 4, 6, 3]),
  ...kerasWeights(74.9, 92.1, "MIT, Kaiming He"),
};

export const resnet101: Architecture = {
  name: "resnet101",
  ...imagenet,
  params: 44_707_176,
  trainable: 44_601_832,
  macs: 7_570_194_432,
  ...resnet([3, 4, 23, 3]),
  ...kerasWeights(76.4, 92.8, "MIT, Kaiming He"),
};

export const resnet152: Architecture = {
  name: "resnet152",
  ...imagenet,
  params: 60_419_944,
  trainable: 60_268_520,
  macs: 11_282_415_616,
  ...resnet([3, 8, 36, 3]),
  ...kerasWeights(76.6, 93.1, "MIT, Kaiming He"),
};

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

function resnet(depths: readonly [number, number, number, number]): Pick<Architecture, "body" | "head"> {
  const norm = { epsilon: 1.001e-5 };
  const shared = {
    padding: "same",
    strideOn: "1x1",
    bias: true,
    norm,
    naming: (name: string, part: ResidualPart) => `${name}_${parts[part]}`,
  } as const;
  const stage = (filters: number, blocks: number, stride: number): Block =>
    chain(
      Object.fromEntries(
        Array.from({ length: blocks }, (_, i) => [
          `block${i + 1}`,
          bottleneckBlock(filters, { ...shared, stride: i === 0 ? stride : 1 }),
        ]),
      ),
      { join: "_" },
    );
  return {
    body: chain({
      conv1_pad: zeroPad(3),
      conv1_conv: conv(64, 7, { stride: 2, padding: "valid" }), //   112 x 112 x 64
      conv1_bn: batchNorm(norm),
      conv1_relu: relu(),
      pool1_pad: zeroPad(1),
      pool1_pool: maxPool(3, 2, { padding: "valid" }), //             56 x 56 x 64
      conv2: stage(64, depths[0], 1), //                              56 x 56 x 256
      conv3: stage(128, depths[1], 2), //                             28 x 28 x 512
      conv4: stage(256, depths[2], 2), //                             14 x 14 x 1024
      conv5: stage(512, depths[3], 2), //                              7 x 7 x 2048
    }),
    head: averageHead,
  };
}
