import { averagedProjection, basicBlock, bottleneckBlock } from "@convkit/blocks";
import type { ResidualPart } from "@convkit/blocks";
import { batchNorm, chain, conv, heNormalFanOut, maxPool, relu, stage, torchPixels } from "@convkit/core";
import type { Architecture, Block } from "@convkit/core";
import { torchHead } from "../shared/heads.ts";
import { counts, fromTimm, fromTorchvision } from "../shared/sources.ts";
import type { Counts, Network } from "../shared/sources.ts";

const imagenet = {
  paper: "He, Zhang, Ren, Sun 2015, Deep Residual Learning for Image Recognition, https://arxiv.org/abs/1512.03385",
  input: [224, 224, 3],
  smallest: 1,
  classes: 1000,
  preprocessing: torchPixels,
} as const;
const norm = { epsilon: 1e-5, momentum: 0.9 };
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

type Unit = (filters: number, stride: number) => Block;

const basic: Unit = (filters, stride) => basicBlock(filters, { stride, padding: 1, norm, naming });
const bottleneck: Unit = (filters, stride) =>
  bottleneckBlock(filters, { stride, strideOn: "3x3", padding: 1, norm, naming });
/** Bottlenecks whose 3x3 convolution has `width` times the channels, in groups. */
const widened =
  (width: number, groups = 1): Unit =>
  (filters, stride) =>
    bottleneckBlock(filters, { stride, strideOn: "3x3", padding: 1, norm, naming, groups, width: width * filters });

function namingD(name: string, part: ResidualPart): string {
  const shifted = part === "project" ? "downsample.b1" : part === "projectNorm" ? "downsample.b2" : parts[part];
  return `${name}.${shifted}`;
}

const partsD = { padding: 1, norm, naming: namingD, shortcut: averagedProjection } as const;
const basicD: Unit = (filters, stride) => basicBlock(filters, { stride, ...partsD });
const bottleneckD: Unit = (filters, stride) => bottleneckBlock(filters, { stride, strideOn: "3x3", ...partsD });

const v15 = { differs: 'from the paper and Keras: stride on the 3x3 ("v1.5"), no biases, epsilon 1e-5' } as const;
const resnextPaper = {
  paper:
    "Xie, Girshick, Dollar, Tu, He 2016, Aggregated Residual Transformations for Deep Neural Networks, https://arxiv.org/abs/1611.05431",
} as const;
const bagOfTricks = {
  paper:
    "He et al. 2018, Bag of Tricks for Image Classification with Convolutional Neural Networks, https://arxiv.org/abs/1812.01187",
  differs: "from torchvision's ResNet: three 3x3 convolutions first, means in the shortcuts (ResNet-D)",
} as const;
const widePaper = {
  paper: "Zagoruyko and Komodakis 2016, Wide Residual Networks, https://arxiv.org/abs/1605.07146",
} as const;

// Block and number of blocks of each stage; weights, trainable weights, multiply-adds; top-1 and top-5 accuracy.
export const resnet18 = resnet(
  "resnet18",
  basic,
  [2, 2, 2, 2],
  counts(11_699_112, 11_689_512, 1_814_073_344),
  [69.758, 89.078],
);
export const resnet34 = resnet(
  "resnet34",
  basic,
  [3, 4, 6, 3],
  counts(21_814_696, 21_797_672, 3_663_761_408),
  [73.314, 91.42],
);
export const resnet50Tv = resnet(
  "resnet50-tv",
  bottleneck,
  [3, 4, 6, 3],
  counts(25_610_152, 25_557_032, 4_089_184_256),
  [76.13, 92.862],
  v15,
);
export const resnet101Tv = resnet(
  "resnet101-tv",
  bottleneck,
  [3, 4, 23, 3],
  counts(44_654_504, 44_549_160, 7_801_405_440),
  [77.374, 93.546],
  v15,
);
export const resnet152Tv = resnet(
  "resnet152-tv",
  bottleneck,
  [3, 8, 36, 3],
  counts(60_344_232, 60_192_808, 11_513_626_624),
  [78.312, 94.046],
  v15,
);
export const resnext50 = resnet(
  "resnext50-32x4d",
  widened(2, 32),
  [3, 4, 6, 3],
  counts(25_097_128, 25_028_904, 4_230_479_872),
  [77.618, 93.698],
  resnextPaper,
);
export const resnext101x8 = resnet(
  "resnext101-32x8d",
  widened(4, 32),
  [3, 4, 23, 3],
  counts(88_994_216, 88_791_336, 16_414_015_488),
  [79.312, 94.526],
  resnextPaper,
);
export const resnext101x4 = resnet(
  "resnext101-64x4d",
  widened(4, 64),
  [3, 4, 23, 3],
  counts(83_658_152, 83_455_272, 15_460_270_080),
  [83.246, 96.454],
  resnextPaper,
);
export const wideResnet50 = resnet(
  "wide-resnet50-2",
  widened(2),
  [3, 4, 6, 3],
  counts(68_951_464, 68_883_240, 11_398_021_120),
  [78.468, 94.086],
  widePaper,
);
export const wideResnet101 = resnet(
  "wide-resnet101-2",
  widened(2),
  [3, 4, 23, 3],
  counts(127_024_552, 126_886_696, 22_753_050_624),
  [78.848, 94.284],
  widePaper,
);

// ResNet-D, as in timm: three 3x3 convolutions first, means in the shortcuts.
export const resnet18D = resnetD("resnet18d", basicD, [2, 2, 2, 2], counts(11_718_472, 11_708_744, 2_053_713_920));
export const resnet34D = resnetD("resnet34d", basicD, [3, 4, 6, 3], counts(21_834_056, 21_816_904, 3_903_401_984));
export const resnet50D = resnetD("resnet50d", bottleneckD, [3, 4, 6, 3], counts(25_629_512, 25_576_264, 4_328_824_832));
export const resnet101D = resnetD(
  "resnet101d",
  bottleneckD,
  [3, 4, 23, 3],
  counts(44_673_864, 44_568_392, 8_041_046_016),
);

type Depths = readonly [number, number, number, number];

function resnet(
  name: string,
  unit: Unit,
  depths: Depths,
  numbers: Counts,
  [top1, top5]: readonly [number, number],
  more: Pick<Architecture, "differs"> | Pick<Architecture, "paper"> = {},
): Network {
  const stem = conv(64, 7, { stride: 2, padding: 3, bias: false, init: heNormalFanOut });
  return { name, ...imagenet, ...more, ...numbers, ...fromTorchvision(top1, top5), ...layers(stem, unit, depths) };
}

function resnetD(name: string, unit: Unit, depths: Depths, numbers: Counts): Network {
  const small = (filters: number, stride: number): Block =>
    conv(filters, 3, { stride, padding: 1, bias: false, init: heNormalFanOut });
  const stem = chain({
    b0: small(32, 2),
    b1: batchNorm(norm),
    b2: relu(),
    b3: small(32, 1),
    b4: batchNorm(norm),
    b5: relu(),
    b6: small(64, 1),
  });
  return { name, ...imagenet, ...bagOfTricks, ...numbers, ...fromTimm(), ...layers(stem, unit, depths) };
}

/** The body and the head after a first convolution: `[n, h, w, 3] -> [n, h / 2, w / 2, 64]`. */
function layers(stem: Block, unit: Unit, depths: Depths): Pick<Network, "body" | "head"> {
  const blocks = (filters: number, count: number, stride: number): Block =>
    stage(count, (i) => unit(filters, i === 0 ? stride : 1));
  return {
    body: chain({
      conv1: stem, //                               112 x 112 x 64
      bn1: batchNorm(norm),
      relu: relu(),
      maxpool: maxPool(3, 2, { padding: 1 }), //     56 x 56
      layer1: blocks(64, depths[0], 1), //           56 x 56
      layer2: blocks(128, depths[1], 2), //          28 x 28
      layer3: blocks(256, depths[2], 2), //          14 x 14
      layer4: blocks(512, depths[3], 2), //           7 x 7
    }),
    head: torchHead,
  };
}
