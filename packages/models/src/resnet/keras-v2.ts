import { preActivationBlock } from "@convkit/blocks";
import type { PreActivationPart } from "@convkit/blocks";
import { batchNorm, chain, conv, maxPool, relu, signedPixels, zeroPad } from "@convkit/core";
import type { Architecture, Block } from "@convkit/core";
import { averageHead } from "../shared/heads.ts";
import { kerasWeights } from "../shared/sources.ts";

const imagenet = {
  paper: "He, Zhang, Ren, Sun 2016, Identity Mappings in Deep Residual Networks, https://arxiv.org/abs/1603.05027",
  input: [224, 224, 3],
  smallest: 32,
  classes: 1000,
  preprocessing: signedPixels,
  differs: "as in Keras, a stage's last block strides instead of its first",
} as const;

export const resnet50V2: Architecture = {
  name: "resnet50v2",
  ...imagenet,
  params: 25_613_800,
  trainable: 25_568_360,
  macs: 3_482_255_360,
  ...resnetV2([3, 4, 6, 3]),
  ...kerasWeights(76.0, 93.0, "Apache-2.0"),
};

export const resnet101V2: Architecture = {
  name: "resnet101v2",
  ...imagenet,
  params: 44_675_560,
  trainable: 44_577_896,
  macs: 7_194_476_544,
  ...resnetV2([3, 4, 23, 3]),
  ...kerasWeights(77.2, 93.8, "Apache-2.0"),
};

export const resnet152V2: Architecture = {
  name: "resnet152v2",
  ...imagenet,
  params: 60_380_648,
  trainable: 60_236_904,
  macs: 10_906_697_728,
  ...resnetV2([3, 8, 36, 3]),
  ...kerasWeights(78.0, 94.2, "Apache-2.0"),
};

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

/** The shrinking shortcut of each stage has a counted name. */
const pools: Readonly<Record<string, string>> = {
  conv2: "max_pooling2d",
  conv3: "max_pooling2d_1",
  conv4: "max_pooling2d_2",
};

function resnetV2(depths: readonly [number, number, number, number]): Pick<Architecture, "body" | "head"> {
  const norm = { epsilon: 1.001e-5 };
  const naming = (name: string, part: PreActivationPart): string =>
    part === "pool" ? (pools[name.slice(0, 5)] ?? `${name}_pool`) : `${name}_${parts[part]}`;
  const stage = (filters: number, blocks: number, stride: number): Block =>
    chain(
      Object.fromEntries(
        Array.from({ length: blocks }, (_, i) => [
          `block${i + 1}`,
          preActivationBlock(filters, { norm, naming, stride: i === blocks - 1 ? stride : 1 }),
        ]),
      ),
      { join: "_" },
    );
  return {
    body: chain({
      conv1_pad: zeroPad(3),
      conv1_conv: conv(64, 7, { stride: 2, padding: "valid" }), //   112 x 112 x 64
      pool1_pad: zeroPad(1),
      pool1_pool: maxPool(3, 2, { padding: "valid" }), //             56 x 56 x 64
      conv2: stage(64, depths[0], 2), //                              28 x 28 x 256
      conv3: stage(128, depths[1], 2), //                             14 x 14 x 512
      conv4: stage(256, depths[2], 2), //                              7 x 7 x 1024
      conv5: stage(512, depths[3], 1), //                              7 x 7 x 2048
      post_bn: batchNorm(norm),
      post_relu: relu(),
    }),
    head: averageHead,
  };
}
