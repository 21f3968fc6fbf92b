import {
  adaptiveAvgPool,
  batchNorm,
  caffePixels,
  chain,
  classActivation,
  conv,
  dense,
  dropout,
  flatten,
  heNormalFanOut,
  maxPool,
  relu,
  torchPixels,
} from "@convkit/core";
import type { Architecture, Block, HeadOptions } from "@convkit/core";
import { kerasWeights, torchWeights } from "./shared/sources.ts";

const paper =
  "Simonyan and Zisserman 2014, Very Deep Convolutional Networks for Large-Scale Image Recognition, https://arxiv.org/abs/1409.1556";
const imagenet = { paper, input: [224, 224, 3], smallest: 32, classes: 1000 } as const;

/** Convolutions of each block: the columns of the paper's table 1. */
const depths = {
  11: [1, 1, 2, 2, 2],
  13: [2, 2, 2, 2, 2],
  16: [2, 2, 3, 3, 3],
  19: [2, 2, 4, 4, 4],
} as const;
const widths = [64, 128, 256, 512, 512] as const;

// As keras.applications has it: layers `block1_conv1`.

export const vgg16: Architecture = {
  name: "vgg16",
  ...imagenet,
  params: 138_357_544,
  trainable: 138_357_544,
  macs: 15_470_264_320,
  ...keras(16),
  ...kerasWeights(71.3, 90.1, "CC BY 4.0, Visual Geometry Group, University of Oxford"),
};

export const vgg19: Architecture = {
  name: "vgg19",
  ...imagenet,
  params: 143_667_240,
  trainable: 143_667_240,
  macs: 19_632_062_464,
  ...keras(19),
  ...kerasWeights(71.3, 90.0, "CC BY 4.0, Visual Geometry Group, University of Oxford"),
};

// As torchvision has it: layers `features.b0`, numbered as in its state.

export const vgg11: Architecture = {
  name: "vgg11",
  ...imagenet,
  params: 132_863_336,
  trainable: 132_863_336,
  macs: 7_609_090_048,
  ...torch(11),
  ...torchWeights(69.02, 88.628),
};

export const vgg13: Architecture = {
  name: "vgg13",
  ...imagenet,
  params: 133_047_848,
  trainable: 133_047_848,
  macs: 11_308_466_176,
  ...torch(13),
  ...torchWeights(69.928, 89.246),
};

export const vgg16Bn: Architecture = {
  name: "vgg16-bn",
  ...imagenet,
  params: 138_374_440,
  trainable: 138_365_992,
  macs: 15_470_264_320,
  ...torch(16, { norm: true }),
  ...torchWeights(73.36, 91.516),
  differs: "batch normalisation after every convolution, which the paper does not have",
};

export const vgg19Bn: Architecture = {
  name: "vgg19-bn",
  ...imagenet,
  params: 143_689_256,
  trainable: 143_678_248,
  macs: 19_632_062_464,
  ...torch(19, { norm: true }),
  ...torchWeights(74.218, 91.842),
  differs: "batch normalisation after every convolution, which the paper does not have",
};

function keras(depth: 16 | 19): Pick<Architecture, "preprocessing" | "body" | "head"> {
  const blocks = widths.map((width, i): [string, Block] => {
    const convs = Array.from({ length: depths[depth][i] as number }, (_, j): [string, Block] => [
      `conv${j + 1}`,
      conv(width, 3, { padding: "same", activation: "relu" }),
    ]);
    const rows = { ...Object.fromEntries(convs), pool: maxPool(2, 2, { padding: "valid" }) };
    return [`block${i + 1}`, chain(rows, { join: "_" })];
  });
  const drops = ({ dropout: rate }: HeadOptions, name: string): Record<string, Block> =>
    rate === undefined ? {} : { [name]: dropout(rate) };
  return {
    preprocessing: caffePixels,
    body: chain(Object.fromEntries(blocks)),
    head: (options) =>
      chain({
        flatten: flatten(),
        fc1: dense(4096, { activation: "relu" }),
        ...drops(options, "dropout1"),
        fc2: dense(4096, { activation: "relu" }),
        ...drops(options, "dropout2"),
        predictions: dense(options.classes, { activation: classActivation(options) }),
      }),
  };
}

function torch(
  depth: keyof typeof depths,
  { norm = false }: { norm?: boolean } = {},
): Pick<Architecture, "preprocessing" | "body" | "head"> {
  const rows = widths.flatMap((width, i): Block[] => {
    const unit = [
      conv(width, 3, { padding: 1, init: heNormalFanOut }),
      ...(norm ? [batchNorm({ epsilon: 1e-5, momentum: 0.9 })] : []),
      relu(),
    ];
    return [
      ...Array.from({ length: depths[depth][i] as number }, () => unit).flat(),
      maxPool(2, 2, { padding: "valid" }),
    ];
  });
  return {
    preprocessing: torchPixels,
    body: chain({ features: chain(Object.fromEntries(rows.map((block, i) => [`b${i}`, block]))) }),
    head: (options) =>
      chain({
        avgpool: adaptiveAvgPool(7),
        flatten: flatten(),
        classifier: chain({
          b0: dense(4096),
          b1: relu(),
          b2: dropout(options.dropout ?? 0.5),
          b3: dense(4096),
          b4: relu(),
          b5: dropout(options.dropout ?? 0.5),
          b6: dense(options.classes, { activation: classActivation(options) }),
        }),
      }),
  };
}
