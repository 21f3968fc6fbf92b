import { denseBlock, transition } from "@convkit/blocks";
import type { DensePart, TransitionPart } from "@convkit/blocks";
import { batchNorm, chain, conv, maxPool, named, relu, torchPixels, zeroPad } from "@convkit/core";
import type { Architecture } from "@convkit/core";
import { averageHead, torchHead } from "./shared/heads.ts";
import { kerasWeights, torchWeights } from "./shared/sources.ts";

const imagenet = {
  paper:
    "Huang, Liu, van der Maaten, Weinberger 2016, Densely Connected Convolutional Networks, https://arxiv.org/abs/1608.06993",
  input: [224, 224, 3],
  classes: 1000,
  preprocessing: torchPixels,
} as const;

export const densenet121: Architecture = {
  name: "densenet121",
  ...imagenet,
  smallest: 32,
  params: 8_062_504,
  trainable: 7_978_856,
  macs: 2_834_161_664,
  ...keras([6, 12, 24, 16]),
  ...kerasWeights(75.0, 92.3, "BSD-3-Clause"),
};

export const densenet169: Architecture = {
  name: "densenet169",
  ...imagenet,
  smallest: 32,
  params: 14_307_880,
  trainable: 14_149_480,
  macs: 3_359_843_328,
  ...keras([6, 12, 32, 32]),
  ...kerasWeights(76.2, 93.2, "BSD-3-Clause"),
};

export const densenet201: Architecture = {
  name: "densenet201",
  ...imagenet,
  smallest: 32,
  params: 20_242_984,
  trainable: 20_013_928,
  macs: 4_291_365_888,
  ...keras([6, 12, 48, 32]),
  ...kerasWeights(77.3, 93.6, "BSD-3-Clause"),
};

export const densenet121Tv: Architecture = {
  name: "densenet121-tv",
  ...imagenet,
  smallest: 29,
  params: 8_062_504,
  trainable: 7_978_856,
  macs: 2_834_161_664,
  ...torch([6, 12, 24, 16]),
  ...torchWeights(74.434, 91.972),
  differs: "from Keras': epsilon 1e-5 (1.001e-5 there), names",
};

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

function keras(depths: readonly [number, number, number, number]): Pick<Architecture, "body" | "head"> {
  const norm = { epsilon: 1.001e-5 };
  const dense = {
    norm,
    naming: (name: string, part: DensePart) => `${name}_${kerasDense[part]}`,
    layerName: (name: string, i: number) => `${name}_block${i}`,
  };
  const half = transition({ norm, naming: (name, part) => `${name}_${kerasTransition[part]}` });
  return {
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

function torch(depths: readonly [number, number, number, number]): Pick<Architecture, "body" | "head"> {
  const norm = { epsilon: 1e-5, momentum: 0.9 };
  return {
    body: chain({
      features: chain({
        conv0: conv(64, 7, { stride: 2, padding: 3, bias: false }), //   112 x 112 x 64
        norm0: batchNorm(norm),
        relu0: relu(),
        pool0: maxPool(3, 2, { padding: 1 }), //                          56 x 56 x 64
        denseblock1: denseBlock(depths[0], 32, { norm }),
        transition1: transition({ norm }), //                             28 x 28 x 128
        denseblock2: denseBlock(depths[1], 32, { norm }),
        transition2: transition({ norm }), //                             14 x 14 x 256
        denseblock3: denseBlock(depths[2], 32, { norm }),
        transition3: transition({ norm }), //                              7 x 7
        denseblock4: denseBlock(depths[3], 32, { norm }),
        norm5: batchNorm(norm),
      }),
      relu: relu(),
    }),
    head: (options) => torchHead(options, { name: "classifier" }),
  };
}
