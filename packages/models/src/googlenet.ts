import { auxiliaryClassifier, convBnRelu, convRelu, inception } from "@convkit/blocks";
import type { InceptionFilters } from "@convkit/blocks";
import { adaptiveAvgPool, caffePixels, chain, concat, localResponseNorm, maxPool, signedPixels } from "@convkit/core";
import type { Block } from "@convkit/core";
import { averageHead, torchHead } from "./shared/heads.ts";
import { fromPaper, fromTorchvision } from "./shared/sources.ts";
import type { Network } from "./shared/sources.ts";

const imagenet = {
  paper: "Szegedy et al. 2014, Going Deeper with Convolutions, https://arxiv.org/abs/1409.4842",
  input: [224, 224, 3],
  classes: 1000,
  auxLossWeight: 0.3,
} as const;

/** Rows of the paper's table 1: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection. */
const table = {
  "3a": [64, 96, 128, 16, 32, 32], //       28 x 28 x 256
  "3b": [128, 128, 192, 32, 96, 64], //     28 x 28 x 480
  "4a": [192, 96, 208, 16, 48, 64], //      14 x 14 x 512
  "4b": [160, 112, 224, 24, 64, 64],
  "4c": [128, 128, 256, 24, 64, 64],
  "4d": [112, 144, 288, 32, 64, 64], //     14 x 14 x 528
  "4e": [256, 160, 320, 32, 128, 128], //   14 x 14 x 832
  "5a": [256, 160, 320, 32, 128, 128],
  "5b": [384, 192, 384, 48, 128, 128], //    7 x 7 x 1024
} as const satisfies Readonly<Record<string, InceptionFilters>>;

const same = { padding: "same" } as const;

export const googlenet: Network = {
  name: "googlenet",
  ...imagenet,
  smallest: 1,
  params: 6_998_552,
  trainable: 6_998_552,
  paramsWithAux: 13_378_280,
  macs: 1_582_671_872,
  preprocessing: caffePixels,
  body: chain({
    conv1: convRelu(64, 7, { stride: 2, ...same }), //    112 x 112 x 64
    pool1: maxPool(3, 2, same), //                         56 x 56 x 64
    norm1: localResponseNorm(),
    conv2: chain({ reduce: convRelu(64, 1, same), conv: convRelu(192, 3, same) }),
    norm2: localResponseNorm(),
    pool2: maxPool(3, 2, same), //                         28 x 28 x 192
    "3a": inception(table["3a"]),
    "3b": inception(table["3b"]),
    pool3: maxPool(3, 2, same), //                         14 x 14 x 480
    "4a": inception(table["4a"]),
    "4b": inception(table["4b"]),
    "4c": inception(table["4c"]),
    "4d": inception(table["4d"]),
    "4e": inception(table["4e"]),
    pool4: maxPool(3, 2, same), //                          7 x 7 x 832
    "5a": inception(table["5a"]),
    "5b": inception(table["5b"]),
  }),
  head: (options) => averageHead(options, { rate: 0.4 }),
  aux: { "4a": (options) => auxiliaryClassifier(options), "4d": (options) => auxiliaryClassifier(options) },
  ...fromPaper("Caffe's training of it, https://github.com/BVLC/caffe/tree/master/models/bvlc_googlenet", 68.7, 88.9),
  weights: { source: "https://github.com/BVLC/caffe/tree/master/models/bvlc_googlenet", license: "unrestricted" },
};

const unit = convBnRelu({ epsilon: 1e-3, momentum: 0.9 });
const ceil = { padding: "valid", ceil: true } as const;

export const googlenetTv: Network = {
  name: "googlenet-tv",
  ...imagenet,
  smallest: 15,
  params: 6_639_464,
  trainable: 6_624_904,
  paramsWithAux: 13_019_960,
  macs: 1_498_376_192,
  preprocessing: signedPixels,
  body: chain({
    conv1: unit(64, 7, { stride: 2, padding: 3 }), //   112 x 112 x 64
    maxpool1: maxPool(3, 2, ceil), //                    56 x 56 x 64
    conv2: unit(64, 1, same),
    conv3: unit(192, 3, same),
    maxpool2: maxPool(3, 2, ceil), //                    28 x 28 x 192
    inception3a: torchInception(table["3a"]),
    inception3b: torchInception(table["3b"]),
    maxpool3: maxPool(3, 2, ceil), //                    14 x 14 x 480
    inception4a: torchInception(table["4a"]),
    inception4b: torchInception(table["4b"]),
    inception4c: torchInception(table["4c"]),
    inception4d: torchInception(table["4d"]),
    inception4e: torchInception(table["4e"]),
    maxpool4: maxPool(2, 2, ceil), //                     7 x 7 x 832
    inception5a: torchInception(table["5a"]),
    inception5b: torchInception(table["5b"]),
  }),
  head: (options) => torchHead(options, { rate: 0.2 }),
  aux: {
    inception4a: (options) => auxiliaryClassifier(options, { unit, pool: adaptiveAvgPool(4) }),
    inception4d: (options) => auxiliaryClassifier(options, { unit, pool: adaptiveAvgPool(4) }),
  },
  ...fromTorchvision(69.778, 89.53),
  differs: 'from the paper: batch normalization, no biases, and 3x3 in the "5x5" branch',
};

/** torchvision's module: its layer names, and 3x3 instead of 5x5. */
function torchInception([one, reduce3, three, reduce5, five, pool]: InceptionFilters): Block {
  return concat({
    branch1: unit(one, 1, same),
    branch2: chain({ b0: unit(reduce3, 1, same), b1: unit(three, 3, same) }),
    branch3: chain({ b0: unit(reduce5, 1, same), b1: unit(five, 3, same) }),
    branch4: chain({ b0: maxPool(3, 1, same), b1: unit(pool, 1, same) }),
  });
}
