import { convBnRelu, inceptionA, inceptionB, inceptionC, inceptionD, inceptionE } from "@convkit/blocks";
import type { ConvUnit, InceptionParts } from "@convkit/blocks";
import {
  autoNamed,
  avgPool,
  batchNorm,
  chain,
  classActivation,
  conv,
  dense,
  globalAvgPool,
  maxPool,
  named,
  relu,
  signedPixels,
} from "@convkit/core";
import type { AutoName, Block } from "@convkit/core";
import { averageHead, torchHead } from "./shared/heads.ts";
import { fromKeras, fromTorchvision } from "./shared/sources.ts";
import type { Network } from "./shared/sources.ts";

const imagenet = {
  paper:
    "Szegedy et al. 2015, Rethinking the Inception Architecture for Computer Vision, https://arxiv.org/abs/1512.00567",
  input: [299, 299, 3],
  smallest: 75,
  classes: 1000,
  preprocessing: signedPixels,
} as const;
const valid = { padding: "valid" } as const;
const half = { padding: "valid", stride: 2 } as const;
const same = { padding: "same" } as const;

export const inceptionV3: Network = {
  name: "inception-v3",
  ...imagenet,
  params: 23_851_784,
  trainable: 23_817_352,
  macs: 5_713_216_096,
  body: autoNamed((auto) =>
    network(
      {
        unit: countedUnit(auto),
        meanPool: auto("average_pooling2d", avgPool(3, 1, same)),
        maxPool: auto("max_pooling2d", maxPool(3, 2, valid)),
      },
      (i) => `mixed${i}`,
      (i) => [(fork) => named(`mixed9_${i}`, fork), (fork) => auto("concatenate", fork)],
    ),
  ),
  head: averageHead,
  ...fromKeras(77.9, 93.7, "Apache-2.0"),
  differs: "from torchvision's: batch norm without gamma, means that do not count padding",
};

const torchUnit = convBnRelu({ epsilon: 1e-3, momentum: 0.9 });
const mixed = ["5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c"];

export const inceptionV3Tv: Network = {
  name: "inception-v3-tv",
  ...imagenet,
  params: 23_869_000,
  trainable: 23_834_568,
  paramsWithAux: 27_197_488,
  macs: 5_713_216_096,
  body: network(
    { unit: torchUnit, meanPool: avgPool(3, 1, { padding: 1 }), maxPool: maxPool(3, 2, valid) },
    (i) => `Mixed_${mixed[i]}`,
  ),
  head: (options) => torchHead(options, { rate: 0.5 }),
  aux: {
    Mixed_6e: (options) =>
      named(
        "AuxLogits",
        chain({
          pool: avgPool(5, 3, valid),
          conv0: torchUnit(128, 1, same),
          conv1: torchUnit(768, 5, valid),
          avgpool: globalAvgPool(),
          fc: dense(options.classes, { activation: classActivation(options) }),
        }),
      ),
  },
  auxLossWeight: 0.4,
  ...fromTorchvision(77.294, 93.45),
  differs: "from Keras': batch norm with gamma, means that count padding",
};

/** Convolution, norm without gamma and ReLU, with Keras' counted names. */
export function countedUnit(auto: AutoName): ConvUnit {
  return (filters, kernel, options) =>
    chain({
      conv: auto("conv2d", conv(filters, kernel, { bias: false, ...options })),
      bn: auto("batch_normalization", batchNorm({ scale: false })),
      relu: auto("activation", relu()),
    });
}

/** The convolutions and pools before the modules, here and in Inception-ResNet: `[n, 299, 299, 3] -> [n, 35, 35, 192]`. */
export function inceptionStem({
  unit,
  maxPool,
}: Pick<InceptionParts, "unit"> & { readonly maxPool: Block }): Record<string, Block> {
  return {
    Conv2d_1a_3x3: unit(32, 3, half), //    149 x 149 x 32
    Conv2d_2a_3x3: unit(32, 3, valid), //   147 x 147 x 32
    Conv2d_2b_3x3: unit(64, 3, same), //    147 x 147 x 64
    maxpool1: maxPool, //                    73 x 73 x 64
    Conv2d_3b_1x1: unit(80, 1, valid), //    73 x 73 x 80
    Conv2d_4a_3x3: unit(192, 3, valid), //   71 x 71 x 192
    maxpool2: maxPool, //                    35 x 35 x 192
  };
}

function network(
  parts: Pick<InceptionParts, "unit"> & { readonly meanPool: Block; readonly maxPool: Block },
  name: (i: number) => string,
  split?: (i: number) => NonNullable<InceptionParts["split"]>,
): Block {
  const modules = [
    inceptionA(parts, 32), //     35 x 35 x 256
    inceptionA(parts, 64), //     35 x 35 x 288
    inceptionA(parts, 64), //     35 x 35 x 288
    inceptionB(parts), //         17 x 17 x 768
    inceptionC(parts, 128), //    17 x 17 x 768
    inceptionC(parts, 160),
    inceptionC(parts, 160),
    inceptionC(parts, 192),
    inceptionD(parts), //          8 x 8 x 1280
    inceptionE(split === undefined ? parts : { ...parts, split: split(0) }), //   8 x 8 x 2048
    inceptionE(split === undefined ? parts : { ...parts, split: split(1) }),
  ];
  return chain({ ...inceptionStem(parts), ...Object.fromEntries(modules.map((block, i) => [name(i), block])) });
}
