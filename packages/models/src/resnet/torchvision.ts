import { basicBlock, bottleneckBlock } from "@convkit/blocks";
import type { ResidualPart } from "@convkit/blocks";
import { batchNorm, chain, conv, heNormalFanOut, maxPool, relu, torchPixels } from "@convkit/core";
import type { Architecture, Block } from "@convkit/core";
import { torchHead } from "../shared/heads.ts";
import { torchWeights } from "../shared/sources.ts";

const imagenet = {
  paper: "He, Zhang, Ren, Sun 2015, Deep Residual Learning for Image Recognition, https://arxiv.org/abs/1512.03385",
  input: [224, 224, 3],
  smallest: 1,
  classes: 1000,
  preprocessing: torchPixels,
} as const;
const norm = { epsilon: 1e-5, momentum: 0.9 };
const strided = { differs: 'from the paper and Keras: stride on the 3x3 ("v1.5"), no biases, epsilon 1e-5' } as const;

export const resnet18: Architecture = {
  name: "resnet18",
  ...imagenet,
  params: 11_699_112,
  trainable: 11_689_512,
  macs: 1_814_073_344,
  ...resnet(basic, [2, 2, 2, 2]),
  ...torchWeights(69.758, 89.078),
};

export const resnet34: Architecture = {
  name: "resnet34",
  ...imagenet,
  params: 21_814_696,
  trainable: 21_797_672,
  macs: 3_663_761_408,
  ...resnet(basic, [3, 4, 6, 3]),
  ...torchWeights(73.314, 91.42),
};

export const resnet50Tv: Architecture = {
  name: "resnet50-tv",
  ...imagenet,
  ...strided,
  params: 25_610_152,
  trainable: 25_557_032,
  macs: 4_089_184_256,
  ...resnet(bottleneck, [3, 4, 6, 3]),
  ...torchWeights(76.13, 92.862),
};

export const resnet101Tv: Architecture = {
  name: "resnet101-tv",
  ...imagenet,
  ...strided,
  params: 44_654_504,
  trainable: 44_549_160,
  macs: 7_801_405_440,
  ...resnet(bottleneck, [3, 4, 23, 3]),
  ...torchWeights(77.374, 93.546),
};

export const resnet152Tv: Architecture = {
  name: "resnet152-tv",
  ...imagenet,
  ...strided,
  params: 60_344_232,
  trainable: 60_192_808,
  macs: 11_513_626_624,
  ...resnet(bottleneck, [3, 8, 36, 3]),
  ...torchWeights(78.312, 94.046),
};

export const resnext50: Architecture = {
  name: "resnext50-32x4d",
  ...imagenet,
  paper:
    "Xie, Girshick, Dollar, Tu, He 2016, Aggregated Residual Transformations for Deep Neural Networks, https://arxiv.org/abs/1611.05431",
  params: 25_097_128,
  trainable: 25_028_904,
  macs: 4_230_479_872,
  ...resnet((filters, stride) => bottleneck(filters, stride, { groups: 32, width: 2 * filters }), [3, 4, 6, 3]),
  ...torchWeights(77.618, 93.698),
};

/** torchvision's names of a block's parts; `b0` stands for its `0`. */
const parts: Readonly<Record<ResidualPart, string>> = {
  conv1: "conv1",
  norm1: "bn1",
  relu1: "relu1",
  conv2: "conv2",
  norm2: "bn2",
  relu2: "relu2",
  conv3: "conv3",
  norm3: "bn3",
  project: "downsample.b0",
  projectNorm: "downsample.b1",
  pool: "downsample.pool",
  add: "add",
  out: "relu",
};

function naming(name: string, part: ResidualPart): string {
  return `${name}.${parts[part]}`;
}

function basic(filters: number, stride: number): Block {
  return basicBlock(filters, { stride, padding: 1, norm, naming });
}

function bottleneck(filters: number, stride: number, groups: { groups?: number; width?: number } = {}): Block {
  return bottleneckBlock(filters, { stride, strideOn: "3x3", padding: 1, norm, naming, ...groups });
}

function resnet(
  block: (filters: number, stride: number) => Block,
  depths: readonly [number, number, number, number],
): Pick<Architecture, "body" | "head"> {
  const layer = (filters: number, blocks: number, stride: number): Block =>
    chain(
      Object.fromEntries(Array.from({ length: blocks }, (_, i) => [`b${i}`, block(filters, i === 0 ? stride : 1)])),
    );
  return {
    body: chain({
      conv1: conv(64, 7, { stride: 2, padding: 3, bias: false, init: heNormalFanOut }), //   112 x 112
      bn1: batchNorm(norm),
      relu: relu(),
      maxpool: maxPool(3, 2, { padding: 1 }), //                                              56 x 56
      layer1: layer(64, depths[0], 1), //                                                     56 x 56
      layer2: layer(128, depths[1], 2), //                                                    28 x 28
      layer3: layer(256, depths[2], 2), //                                                    14 x 14
      layer4: layer(512, depths[3], 2), //                                                     7 x 7
    }),
    head: torchHead,
  };
}
