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
  stage,
  torchPixels,
} from "@convkit/core";
import type { Block } from "@convkit/core";
import { dropped } from "./shared/heads.ts";
import { counts, fromKeras, fromTorchvision } from "./shared/sources.ts";
import type { Counts, Network } from "./shared/sources.ts";

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

const oxford = "CC BY 4.0, Visual Geometry Group, University of Oxford";

// As in keras.applications, with layers `block1_conv1`: weights, multiply-adds; top-1 and top-5 accuracy.
export const vgg16 = keras("vgg16", 16, counts(138_357_544, 138_357_544, 15_470_264_320), [71.3, 90.1]);
export const vgg19 = keras("vgg19", 19, counts(143_667_240, 143_667_240, 19_632_062_464), [71.3, 90.0]);

// As in torchvision, with layers `features.b0`, numbered as in its state.
export const vgg11 = torch("vgg11", 11, counts(132_863_336, 132_863_336, 7_609_090_048), [69.02, 88.628]);
export const vgg13 = torch("vgg13", 13, counts(133_047_848, 133_047_848, 11_308_466_176), [69.928, 89.246]);
export const vgg11Bn = torch(
  "vgg11-bn",
  11,
  counts(132_874_344, 132_868_840, 7_609_090_048),
  [70.37, 89.81],
  withNorm(),
);
export const vgg13Bn = torch(
  "vgg13-bn",
  13,
  counts(133_059_624, 133_053_736, 11_308_466_176),
  [71.586, 90.374],
  withNorm(),
);
export const vgg16Bn = torch(
  "vgg16-bn",
  16,
  counts(138_374_440, 138_365_992, 15_470_264_320),
  [73.36, 91.516],
  withNorm(),
);
export const vgg19Bn = torch(
  "vgg19-bn",
  19,
  counts(143_689_256, 143_678_248, 19_632_062_464),
  [74.218, 91.842],
  withNorm(),
);

function keras(name: string, depth: 16 | 19, numbers: Counts, [top1, top5]: readonly [number, number]): Network {
  const block = (i: number): Block => {
    const convs = stage(
      depths[depth][i] as number,
      () => conv(widths[i] as number, 3, { padding: "same", activation: "relu" }),
      {
        name: (path, j) => `${path}_conv${j + 1}`,
      },
    );
    return (x, path) => maxPool(2, 2, { padding: "valid" })(convs(x, path), `${path}_pool`);
  };
  return {
    name,
    ...imagenet,
    ...numbers,
    ...fromKeras(top1, top5, oxford),
    preprocessing: caffePixels,
    body: stage(5, block, { name: (_, i) => `block${i + 1}` }),
    head: (options) =>
      chain({
        flatten: flatten(),
        fc1: dense(4096, { activation: "relu" }),
        ...dropped("dropout1", options.dropout),
        fc2: dense(4096, { activation: "relu" }),
        ...dropped("dropout2", options.dropout),
        predictions: dense(options.classes, { activation: classActivation(options) }),
      }),
  };
}

/** Batch norm after every convolution. */
function withNorm() {
  return {
    norm: [batchNorm({ epsilon: 1e-5, momentum: 0.9 })],
    differs: "batch normalization after every convolution, which the paper does not have",
  } as const;
}

function torch(
  name: string,
  depth: keyof typeof depths,
  numbers: Counts,
  [top1, top5]: readonly [number, number],
  { norm = [], ...more }: { readonly norm?: readonly Block[]; readonly differs?: string } = {},
): Network {
  const rows = widths.flatMap((width, i): Block[] => {
    const unit = [conv(width, 3, { padding: 1, init: heNormalFanOut }), ...norm, relu()];
    const units = Array.from({ length: depths[depth][i] as number }, () => unit).flat();
    return [...units, maxPool(2, 2, { padding: "valid" })];
  });
  return {
    name,
    ...imagenet,
    ...more,
    ...numbers,
    ...fromTorchvision(top1, top5),
    preprocessing: torchPixels,
    body: stage(rows.length, (i) => rows[i] as Block, { name: (_, i) => `features.b${i}` }),
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
