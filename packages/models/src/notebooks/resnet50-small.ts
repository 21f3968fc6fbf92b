import { bottleneckBlock } from "@convkit/blocks";
import type { ResidualPart } from "@convkit/blocks";
import {
  avgPool,
  batchNorm,
  chain,
  classActivation,
  conv,
  dense,
  flatten,
  maxPool,
  relu,
  stage,
  unitPixels,
} from "@convkit/core";
import type { Block } from "@convkit/core";
import { dropped } from "../shared/heads.ts";
import type { Network } from "../shared/sources.ts";

/** ResNet-50 for images of 32 pixels, with the names of the first Keras ResNet. */
export const resnet50Small: Network = {
  name: "resnet50-small",
  source: "notebook",
  paper: "He, Zhang, Ren, Sun 2015, Deep Residual Learning for Image Recognition, https://arxiv.org/abs/1512.03385",
  input: [32, 32, 3],
  smallest: 11,
  classes: 10,
  params: 23_608_202,
  trainable: 23_555_082,
  macs: 63_443_648,
  preprocessing: unitPixels,
  body: chain({
    conv1: conv(64, 7, { stride: 2, padding: "valid" }), //   13 x 13 x 64
    bn_conv1: batchNorm(),
    activation: relu(),
    max_pooling2d: maxPool(3, 2, { padding: "valid" }), //     6 x 6 x 64
    stage2: blocks("2", "abc", 64, 1), //                      6 x 6 x 256
    stage3: blocks("3", "abcd", 128, 2), //                    3 x 3 x 512
    stage4: blocks("4", "abcdef", 256, 2), //                  2 x 2 x 1024
    stage5: blocks("5", "abc", 512, 2), //                     1 x 1 x 2048
  }),
  head: (options) =>
    chain({
      avg_pool: avgPool(1, 1, { padding: "valid" }),
      flatten: flatten(),
      ...dropped("dropout", options.dropout),
      [`fc${options.classes}`]: dense(options.classes, { activation: classActivation(options) }),
    }),
  differs: "a valid stem without padding, so that 32 pixels end as 1 x 1; the last pool is 1 x 1",
};

/** The old names: convolutions `res2a_branch2a`, norms `bn2a_branch2a`, shortcuts `branch1`. */
const parts: Readonly<Record<ResidualPart, readonly [prefix: string, suffix: string]>> = {
  conv1: ["res", "_branch2a"],
  norm1: ["bn", "_branch2a"],
  relu1: ["relu", "_branch2a"],
  conv2: ["res", "_branch2b"],
  norm2: ["bn", "_branch2b"],
  relu2: ["relu", "_branch2b"],
  conv3: ["res", "_branch2c"],
  norm3: ["bn", "_branch2c"],
  project: ["res", "_branch1"],
  projectNorm: ["bn", "_branch1"],
  pool: ["pool", "_branch1"],
  add: ["add", ""],
  out: ["relu", ""],
};

function naming(path: string, part: ResidualPart): string {
  return `${parts[part][0]}${path}${parts[part][1]}`;
}

function blocks(number: string, letters: string, filters: number, stride: number): Block {
  const shared = { strideOn: "1x1", padding: "same", bias: true, naming } as const;
  return stage(letters.length, (i) => bottleneckBlock(filters, { ...shared, stride: i === 0 ? stride : 1 }), {
    name: (_, i) => `${number}${letters[i]}`,
  });
}
