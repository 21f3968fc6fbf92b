import {
  batchNorm,
  chain,
  concat,
  conv,
  depthwiseConv,
  maxPool,
  relu,
  shuffleChannels,
  sliceChannels,
  stage,
  torchPixels,
} from "@convkit/core";
import type { Block } from "@convkit/core";
import { torchHead } from "./shared/heads.ts";
import { counts, fromTorchvision } from "./shared/sources.ts";
import type { Counts, Network } from "./shared/sources.ts";

const imagenet = {
  paper:
    "Ma et al. 2018, ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design, https://arxiv.org/abs/1807.11164",
  input: [224, 224, 3],
  smallest: 1,
  classes: 1000,
  preprocessing: torchPixels,
} as const;
const norm = { epsilon: 1e-5, momentum: 0.9 };

/** Blocks of the three stages. */
const depths = [4, 8, 4] as const;

// The paper's table 5: channels of the three stages and of the last convolution; weights, trainable weights, multiply-adds; top-1 and
// top-5 accuracy.
export const shufflenetV2Half = shufflenet(
  "shufflenet-v2-x0-5",
  [48, 96, 192],
  1024,
  counts(1_374_744, 1_366_792, 40_476_448),
  [60.552, 81.746],
);
export const shufflenetV2 = shufflenet(
  "shufflenet-v2-x1-0",
  [116, 232, 464],
  1024,
  counts(2_294_784, 2_278_604, 144_907_992),
  [69.362, 88.316],
);
export const shufflenetV2OneHalf = shufflenet(
  "shufflenet-v2-x1-5",
  [176, 352, 704],
  1024,
  counts(3_527_064, 3_503_624, 295_759_392),
  [72.996, 91.086],
);
export const shufflenetV2Double = shufflenet(
  "shufflenet-v2-x2-0",
  [244, 488, 976],
  2048,
  counts(7_427_712, 7_393_996, 583_253_464),
  [76.23, 93.006],
);

function shufflenet(
  name: string,
  [first, second, third]: readonly [number, number, number],
  last: number,
  numbers: Counts,
  [top1, top5]: readonly [number, number],
): Network {
  const units = (count: number, filters: number): Block =>
    stage(count, (i) => (i === 0 ? halving(filters) : keeping(filters)));
  return {
    name,
    ...imagenet,
    ...numbers,
    ...fromTorchvision(top1, top5),
    stages: [
      "conv1.b2",
      "maxpool",
      ...depths.slice(0, 2).map((depth, i) => `stage${i + 2}.b${depth - 1}.shuffle`),
      "conv5.b2",
    ],
    body: chain({
      conv1: chain({ b0: conv(24, 3, { stride: 2, padding: 1, bias: false }), b1: batchNorm(norm), b2: relu() }), //   112 x 112 x 24
      maxpool: maxPool(3, 2, { padding: 1 }), //                                                                        56 x 56 x 24
      stage2: units(depths[0], first), //                                                                               28 x 28
      stage3: units(depths[1], second), //                                                                              14 x 14
      stage4: units(depths[2], third), //                                                                                7 x 7
      conv5: chain({ b0: conv(last, 1, { padding: "valid", bias: false }), b1: batchNorm(norm), b2: relu() }),
    }),
    head: torchHead,
  };
}

/** The paper's figure 3c: one half of the channels stays, the other half is convolved: shape unchanged. */
function keeping(filters: number): Block {
  const half = filters / 2;
  return shuffled({
    kept: sliceChannels(0, half),
    branch2: chain({ split: sliceChannels(half, half), ...branch(half, 1) }),
  });
}

/** The paper's figure 3d: both branches take all channels and halve the map: `[n, h, w, c] -> [n, h / 2, w / 2, filters]`. */
function halving(filters: number): Block {
  const half = filters / 2;
  return shuffled({
    branch1: chain({ ...depthwise(0, 2), ...pointwise(2, half) }),
    branch2: chain(branch(half, 2)),
  });
}

/** Branches side by side, whose channels then take turns. */
function shuffled(branches: Readonly<Record<string, Block>>): Block {
  return (x, name) => shuffleChannels(2)(concat(branches)(x, name), `${name}.shuffle`);
}

function branch(filters: number, stride: number): Record<string, Block> {
  return { ...pointwise(0, filters), ...depthwise(3, stride), ...pointwise(5, filters) };
}

/** A 1x1 convolution with norm and ReLU, as torchvision numbers them from `from` on. */
function pointwise(from: number, filters: number): Record<string, Block> {
  return {
    [`b${from}`]: conv(filters, 1, { padding: "valid", bias: false }),
    [`b${from + 1}`]: batchNorm(norm),
    [`b${from + 2}`]: relu(),
  };
}

/** A 3x3 depthwise convolution with norm. */
function depthwise(from: number, stride: number): Record<string, Block> {
  return {
    [`b${from}`]: depthwiseConv(3, { stride, padding: 1, bias: false }),
    [`b${from + 1}`]: batchNorm(norm),
  };
}
