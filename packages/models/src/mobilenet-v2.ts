import { invertedResidual } from "@convkit/blocks";
import type { InvertedPart } from "@convkit/blocks";
import { batchNorm, chain, conv, heNormalFanOut, relu6, signedPixels, stage, torchPixels } from "@convkit/core";
import type { Block } from "@convkit/core";
import { averageHead, torchHead } from "./shared/heads.ts";
import { fromKeras, fromTorchvision } from "./shared/sources.ts";
import type { Network } from "./shared/sources.ts";

const imagenet = {
  paper:
    "Sandler et al. 2018, MobileNetV2: Inverted Residuals and Linear Bottlenecks, https://arxiv.org/abs/1801.04381",
  input: [224, 224, 3],
  classes: 1000,
  params: 3_538_984,
  trainable: 3_504_872,
  macs: 300_774_272,
} as const;

/** The paper's table 2: expansion, filters, number of blocks, stride of the first block. */
const table = [
  [1, 16, 1, 1], //    112 x 112
  [6, 24, 2, 2], //     56 x 56
  [6, 32, 3, 2], //     28 x 28
  [6, 64, 4, 2], //     14 x 14
  [6, 96, 3, 1],
  [6, 160, 3, 2], //     7 x 7
  [6, 320, 1, 1],
] as const;

interface Row {
  readonly expansion: number;
  readonly filters: number;
  readonly stride: number;
}

const rows = table.flatMap(([expansion, filters, blocks, stride]) =>
  Array.from({ length: blocks }, (_, i): Row => ({ expansion, filters, stride: i === 0 ? stride : 1 })),
);

const kerasNorm = { epsilon: 1e-3, momentum: 0.999 };
const kerasParts: Readonly<Record<InvertedPart, string>> = {
  expand: "expand",
  expandNorm: "expand_BN",
  expandRelu: "expand_relu",
  pad: "pad",
  depthwise: "depthwise",
  depthwiseNorm: "depthwise_BN",
  depthwiseRelu: "depthwise_relu",
  excite: "excite",
  project: "project",
  projectNorm: "project_BN",
  drop: "drop",
  add: "add",
};

function kerasBlock(i: number): Block {
  const { expansion, filters, stride } = rows[i] as Row;
  const naming = (path: string, part: InvertedPart): string => `${path}_${kerasParts[part]}`;
  return invertedResidual(filters, { expansion, stride, padding: "keras", norm: kerasNorm, naming });
}

export const mobilenetV2: Network = {
  name: "mobilenet-v2",
  ...imagenet,
  smallest: 32,
  preprocessing: signedPixels,
  stages: ["expanded_conv_project_BN", "block_2_add", "block_5_add", "block_12_add", "out_relu"],
  body: chain({
    Conv1: conv(32, 3, { stride: 2, padding: "same", bias: false }), //   112 x 112 x 32
    bn_Conv1: batchNorm(kerasNorm),
    Conv1_relu: relu6(),
    blocks: stage(rows.length, kerasBlock, { name: (_, i) => (i === 0 ? "expanded_conv" : `block_${i}`) }),
    Conv_1: conv(1280, 1, { padding: "valid", bias: false }), //            7 x 7 x 1280
    Conv_1_bn: batchNorm(kerasNorm),
    out_relu: relu6(),
  }),
  head: (options) => averageHead(options, { pool: "global_average_pooling2d" }),
  ...fromKeras(71.3, 90.1, "Apache-2.0"),
};

const torchNorm = { epsilon: 1e-5, momentum: 0.9 };

/** torchvision numbers a block's layers, so the numbers depend on whether it expands. */
function torchNaming(expands: boolean): (name: string, part: InvertedPart) => string {
  const [expand, depthwise, project, norm] = expands ? ["b0", "b1", "b2", "b3"] : ["", "b0", "b1", "b2"];
  const parts: Readonly<Record<InvertedPart, string>> = {
    expand: `conv.${expand}.b0`,
    expandNorm: `conv.${expand}.b1`,
    expandRelu: `conv.${expand}.b2`,
    pad: "conv.pad",
    depthwise: `conv.${depthwise}.b0`,
    depthwiseNorm: `conv.${depthwise}.b1`,
    depthwiseRelu: `conv.${depthwise}.b2`,
    excite: "conv.excite",
    project: `conv.${project}`,
    projectNorm: `conv.${norm}`,
    drop: "conv.drop",
    add: "add",
  };
  return (name, part) => `${name}.${parts[part]}`;
}

function torchBlock(i: number): Block {
  const { expansion, filters, stride } = rows[i] as Row;
  const naming = torchNaming(expansion !== 1);
  return invertedResidual(filters, { expansion, stride, padding: 1, norm: torchNorm, init: heNormalFanOut, naming });
}

function torchUnit(filters: number, kernel: number, options: { stride?: number; padding: number }): Block {
  return chain({
    b0: conv(filters, kernel, { bias: false, init: heNormalFanOut, ...options }),
    b1: batchNorm(torchNorm),
    b2: relu6(),
  });
}

export const mobilenetV2Tv: Network = {
  name: "mobilenet-v2-tv",
  ...imagenet,
  smallest: 1,
  preprocessing: torchPixels,
  stages: ["features.b1.conv.b2", "features.b3.add", "features.b6.add", "features.b13.add", "features.b18.b2"],
  body: chain({
    features: chain({
      b0: torchUnit(32, 3, { stride: 2, padding: 1 }), //   112 x 112 x 32
      blocks: stage(rows.length, torchBlock, { name: (_, i) => `features.b${i + 1}` }),
      b18: torchUnit(1280, 1, { padding: 0 }), //              7 x 7 x 1280
    }),
  }),
  head: (options) => torchHead(options, { name: "classifier.b1", rate: 0.2 }),
  ...fromTorchvision(71.878, 90.286),
  differs: "from Keras': pads both sides at stride 2, epsilon 1e-5",
};
