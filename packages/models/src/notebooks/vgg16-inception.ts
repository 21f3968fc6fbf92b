import { factorizedInception, inception } from "@convkit/blocks";
import type { ConvUnit, InceptionFilters } from "@convkit/blocks";
import { batchNorm, chain, classActivation, conv, dense, flatten, maxPool, relu, unitPixels } from "@convkit/core";
import type { Block } from "@convkit/core";
import { dropped } from "../shared/heads.ts";
import type { Network } from "../shared/sources.ts";

/** Convolution without bias, norm without gamma, ReLU: `block1_conv1_conv`, `_bn`, `_act`. */
const unit: ConvUnit = (filters, kernel, options) =>
  chain(
    { conv: conv(filters, kernel, { bias: false, ...options }), bn: batchNorm({ scale: false }), act: relu() },
    { join: "_" },
  );
const same = { padding: "same" } as const;
const pool = maxPool(2, 2, { padding: "valid" });
const mid: InceptionFilters = [64, 96, 128, 16, 32, 32];
const late: InceptionFilters = [128, 192, 256, 32, 64, 64];

function block(rows: Record<string, Block>): Block {
  return chain({ ...rows, pool }, { join: "_" });
}

/** VGG16 with two of its blocks as inception modules. */
export const vgg16Inception: Network = {
  name: "vgg16-inception",
  source: "notebook",
  paper:
    "after Simonyan and Zisserman 2014, https://arxiv.org/abs/1409.1556, and Szegedy et al. 2015, https://arxiv.org/abs/1512.00567",
  input: [224, 224, 1],
  smallest: 32,
  classes: 1000,
  params: 132_084_920,
  trainable: 132_072_536,
  macs: 11_324_923_904,
  preprocessing: unitPixels,
  body: chain({
    block1: block({ conv1: unit(64, 3, same), conv2: unit(64, 3, same) }), //     112 x 112 x 64
    block2: block({ conv1: unit(128, 3, same), conv2: unit(128, 3, same) }), //    56 x 56 x 128
    block3: block({ i1: inception(mid, { unit }), i2: inception(mid, { unit }), i3: inception(mid, { unit }) }), //   28 x 28 x 256
    block4: block({ conv1: unit(512, 3, same), conv2: unit(512, 3, same), conv3: unit(512, 3, same) }), //   14 x 14 x 512
    block5: block({
      i1: factorizedInception(late, { unit }),
      i2: factorizedInception(late, { unit }),
      i3: factorizedInception(late, { unit }),
    }), //                                                                          7 x 7 x 512
  }),
  head: (options) =>
    chain({
      flatten: flatten(), //                                                       25088
      fc1: dense(4096, { activation: "relu" }),
      ...dropped("dropout1", options.dropout),
      fc2: dense(4096, { activation: "relu" }),
      ...dropped("dropout2", options.dropout),
      predictions: dense(options.classes, { activation: classActivation(options) }),
    }),
};
