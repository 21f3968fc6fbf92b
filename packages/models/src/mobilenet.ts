import {
  activation,
  batchNorm,
  chain,
  classActivation,
  conv,
  depthwiseConv,
  dropout,
  globalAvgPool,
  heNormalFanOut,
  relu6,
  reshape,
  signedPixels,
  stage,
  zeroPad,
} from "@convkit/core";
import type { Block } from "@convkit/core";
import { torchHead } from "./shared/heads.ts";
import { fromKeras, fromTimm } from "./shared/sources.ts";
import type { Network } from "./shared/sources.ts";

const same = { padding: "same", bias: false } as const;

/** Filters and stride of the depthwise separable blocks: the paper's table 1. */
const table = [
  [64, 1], //    112 x 112
  [128, 2], //    56 x 56
  [128, 1],
  [256, 2], //    28 x 28
  [256, 1],
  [512, 2], //    14 x 14
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2], //    7 x 7
  [1024, 1],
] as const;

const imagenet = {
  paper:
    "Howard et al. 2017, MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications, https://arxiv.org/abs/1704.04861",
  input: [224, 224, 3],
  classes: 1000,
  params: 4_253_864,
  trainable: 4_231_976,
  macs: 568_740_352,
  preprocessing: signedPixels,
} as const;

export const mobilenet: Network = {
  name: "mobilenet",
  ...imagenet,
  smallest: 32,
  body: chain({
    conv1: conv(32, 3, { stride: 2, ...same }), //   112 x 112 x 32
    conv1_bn: batchNorm(),
    conv1_relu: relu6(),
    ...Object.assign({}, ...table.map(([filters, stride], i) => separable(i + 1, filters, stride))),
  }),
  head: (options) =>
    chain({
      global_average_pooling2d: globalAvgPool({ keepSize: true }),
      dropout: dropout(options.dropout ?? 1e-3),
      conv_preds: conv(options.classes, 1, { padding: "same" }),
      reshape_2: reshape([options.classes]),
      predictions: activation(classActivation(options)),
    }),
  ...fromKeras(70.4, 89.5, "Apache-2.0"),
};

function separable(i: number, filters: number, stride: number): Record<string, Block> {
  const pad: Record<string, Block> =
    stride === 1
      ? {}
      : {
          [`conv_pad_${i}`]: zeroPad([
            [0, 1],
            [0, 1],
          ]),
        };
  return {
    ...pad,
    [`conv_dw_${i}`]: depthwiseConv(3, { stride, padding: stride === 1 ? "same" : "valid", bias: false }),
    [`conv_dw_${i}_bn`]: batchNorm(),
    [`conv_dw_${i}_relu`]: relu6(),
    [`conv_pw_${i}`]: conv(filters, 1, same),
    [`conv_pw_${i}_bn`]: batchNorm(),
    [`conv_pw_${i}_relu`]: relu6(),
  };
}

const norm = { epsilon: 1e-5, momentum: 0.9 };
const fanOut = { bias: false, init: heNormalFanOut } as const;

/** timm's names of the blocks: a stage begins with each stride of 2. */
const torchPaths = table.map((_, i) => {
  const stages = table.slice(1, i + 1).filter(([, stride]) => stride === 2).length;
  const first = stages === 0 ? 0 : table.findLastIndex(([, stride], j) => j <= i && stride === 2);
  return `blocks.b${stages}.b${i - first}`;
});

export const mobilenetTimm: Network = {
  name: "mobilenet-timm",
  ...imagenet,
  smallest: 1,
  body: chain({
    conv_stem: conv(32, 3, { stride: 2, padding: 1, ...fanOut }), //   112 x 112 x 32
    bn1: batchNorm(norm),
    act1: relu6(),
    blocks: stage(table.length, (i) => torchSeparable(table[i]![0], table[i]![1]), { name: (_, i) => torchPaths[i]! }),
  }),
  head: (options) => torchHead(options, { name: "classifier" }),
  ...fromTimm(),
  differs: "from Keras': pads both sides at stride 2, epsilon 1e-5",
};

function torchSeparable(filters: number, stride: number): Block {
  return chain({
    conv_dw: depthwiseConv(3, { stride, padding: 1, ...fanOut }),
    bn1: batchNorm(norm),
    act1: relu6(),
    conv_pw: conv(filters, 1, { padding: "valid", ...fanOut }),
    bn2: batchNorm(norm),
    act2: relu6(),
  });
}
