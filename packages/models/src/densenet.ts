import { denseBlock, transition } from "@convkit/blocks";
import type { DensePart, TransitionPart } from "@convkit/blocks";
import { batchNorm, chain, conv, maxPool, named, relu, torchPixels, zeroPad } from "@convkit/core";
import { averageHead, torchHead } from "./shared/heads.ts";
import { counts, fromKeras, fromTorchvision } from "./shared/sources.ts";
import type { Counts, Network } from "./shared/sources.ts";

const imagenet = {
  paper:
    "Huang, Liu, van der Maaten, Weinberger 2016, Densely Connected Convolutional Networks, https://arxiv.org/abs/1608.06993",
  input: [224, 224, 3],
  classes: 1000,
  preprocessing: torchPixels,
} as const;

const kerasDense: Readonly<Record<DensePart, string>> = {
  norm1: "0_bn",
  relu1: "0_relu",
  conv1: "1_conv",
  norm2: "1_bn",
  relu2: "1_relu",
  conv2: "2_conv",
  concat: "concat",
};
const kerasTransition: Readonly<Record<TransitionPart, string>> = {
  norm: "bn",
  relu: "relu",
  conv: "conv",
  pool: "pool",
};

type Depths = readonly [number, number, number, number];

// Layers of each block; weights, trainable weights, multiply-adds; top-1 and top-5 accuracy.
export const densenet121 = keras(
  "densenet121",
  [6, 12, 24, 16],
  counts(8_062_504, 7_978_856, 2_834_161_664),
  [75.0, 92.3],
);
export const densenet169 = keras(
  "densenet169",
  [6, 12, 32, 32],
  counts(14_307_880, 14_149_480, 3_359_843_328),
  [76.2, 93.2],
);
export const densenet201 = keras(
  "densenet201",
  [6, 12, 48, 32],
  counts(20_242_984, 20_013_928, 4_291_365_888),
  [77.3, 93.6],
);
export const densenet121Tv = torch(
  "densenet121-tv",
  [6, 12, 24, 16],
  counts(8_062_504, 7_978_856, 2_834_161_664),
  [74.434, 91.972],
  { differs: "from Keras': epsilon 1e-5 (1.001e-5 there), names" },
);

export const densenet161 = torch(
  "densenet161",
  [6, 12, 36, 24],
  counts(28_900_936, 28_681_000, 7_727_907_072),
  [77.138, 93.56],
  { growth: 48 },
);

function keras(name: string, depths: Depths, numbers: Counts, [top1, top5]: readonly [number, number]): Network {
  const norm = { epsilon: 1.001e-5 };
  const dense = {
    norm,
    naming: (path: string, part: DensePart) => `${path}_${kerasDense[part]}`,
    layerName: (path: string, i: number) => `${path}_block${i}`,
  };
  const half = transition({ norm, naming: (path, part) => `${path}_${kerasTransition[part]}` });
  return {
    name,
    ...imagenet,
    ...numbers,
    smallest: 32,
    ...fromKeras(top1, top5, "BSD-3-Clause"),
    stages: ["conv1_relu", ...[2, 3, 4].map((i) => `conv${i}_block${depths[i - 2]}_concat`), "relu"],
    body: chain({
      pad1: named("zero_padding2d", zeroPad(3)),
      conv1_conv: conv(64, 7, { stride: 2, padding: "valid", bias: false }), //   112 x 112 x 64
      conv1_bn: batchNorm(norm),
      conv1_relu: relu(),
      pad2: named("zero_padding2d_1", zeroPad(1)),
      pool1: maxPool(3, 2, { padding: "valid" }), //                               56 x 56 x 64
      conv2: denseBlock(depths[0], 32, dense),
      pool2: half, //                                                              28 x 28 x 128
      conv3: denseBlock(depths[1], 32, dense),
      pool3: half, //                                                              14 x 14 x 256
      conv4: denseBlock(depths[2], 32, dense),
      pool4: half, //                                                               7 x 7
      conv5: denseBlock(depths[3], 32, dense),
      bn: batchNorm(norm),
      relu: relu(),
    }),
    head: averageHead,
  };
}

function torch(
  name: string,
  depths: Depths,
  numbers: Counts,
  [top1, top5]: readonly [number, number],
  { growth = 32, ...more }: { readonly growth?: number; readonly differs?: string } = {},
): Network {
  const norm = { epsilon: 1e-5, momentum: 0.9 };
  const end = (i: number): string => `features.denseblock${i}.denselayer${depths[i - 1]}.concat`;
  return {
    name,
    ...imagenet,
    ...numbers,
    ...more,
    smallest: 29,
    ...fromTorchvision(top1, top5),
    stages: ["features.relu0", end(1), end(2), end(3), "relu"],
    body: chain({
      features: chain({
        conv0: conv(2 * growth, 7, { stride: 2, padding: 3, bias: false }), //   112 x 112 x 64
        norm0: batchNorm(norm),
        relu0: relu(),
        pool0: maxPool(3, 2, { padding: 1 }), //                          56 x 56 x 64
        denseblock1: denseBlock(depths[0], growth, { norm }),
        transition1: transition({ norm }), //                             28 x 28 x 128
        denseblock2: denseBlock(depths[1], growth, { norm }),
        transition2: transition({ norm }), //                             14 x 14 x 256
        denseblock3: denseBlock(depths[2], growth, { norm }),
        transition3: transition({ norm }), //                              7 x 7
        denseblock4: denseBlock(depths[3], growth, { norm }),
        norm5: batchNorm(norm),
      }),
      relu: relu(),
    }),
    head: (options) => torchHead(options, { name: "classifier" }),
  };
}
