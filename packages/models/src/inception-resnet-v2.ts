import type { ConvUnit } from "@convkit/blocks";
import {
  autoNamed,
  avgPool,
  batchNorm,
  chain,
  concat,
  conv,
  maxPool,
  relu,
  scaledAdd,
  signedPixels,
  sizeOf,
  stage,
} from "@convkit/core";
import type { AutoName, Block } from "@convkit/core";
import { averageHead } from "./shared/heads.ts";
import { countedUnit, inceptionStem } from "./inception-v3.ts";
import { fromKeras } from "./shared/sources.ts";
import type { Network } from "./shared/sources.ts";

const same = { padding: "same" } as const;
const half = { padding: "valid", stride: 2 } as const;

export const inceptionResnetV2: Network = {
  name: "inception-resnet-v2",
  paper:
    "Szegedy, Ioffe, Vanhoucke, Alemi 2016, Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning, https://arxiv.org/abs/1602.07261",
  input: [299, 299, 3],
  smallest: 75,
  classes: 1000,
  params: 55_873_736,
  trainable: 55_813_192,
  macs: 13_155_794_016,
  preprocessing: signedPixels,
  body: autoNamed((auto) => {
    const unit = countedUnit(auto);
    const pool = auto("max_pooling2d", maxPool(3, 2, { padding: "valid" }));
    return chain({
      ...inceptionStem({ unit, maxPool: pool }), //   35 x 35 x 192
      mixed_5b: concat({
        b0: unit(96, 1, same),
        b1: chain({ a: unit(48, 1, same), b: unit(64, 5, same) }),
        b2: chain({ a: unit(64, 1, same), b: unit(96, 3, same), c: unit(96, 3, same) }),
        pool: chain({ a: auto("average_pooling2d", avgPool(3, 1, same)), b: unit(64, 1, same) }),
      }), //                                          35 x 35 x 320
      block35: repeated(auto, "block35", 10, 0.17, block35(unit)),
      mixed_6a: concat({
        b0: unit(384, 3, half),
        b1: chain({ a: unit(256, 1, same), b: unit(256, 3, same), c: unit(384, 3, half) }),
        pool,
      }), //                                          17 x 17 x 1088
      block17: repeated(auto, "block17", 20, 0.1, block17(unit)),
      mixed_7a: concat({
        b0: chain({ a: unit(256, 1, same), b: unit(384, 3, half) }),
        b1: chain({ a: unit(256, 1, same), b: unit(288, 3, half) }),
        b2: chain({ a: unit(256, 1, same), b: unit(288, 3, same), c: unit(320, 3, half) }),
        pool,
      }), //                                           8 x 8 x 2080
      block8: repeated(auto, "block8", 10, 0.2, block8(unit)),
      conv_7b: conv(1536, 1, { bias: false, ...same }),
      conv_7b_bn: batchNorm({ scale: false }),
      conv_7b_ac: relu(), //                           8 x 8 x 1536
    });
  }),
  head: averageHead,
  ...fromKeras(80.3, 95.3, "Apache-2.0"),
};

function block35(unit: ConvUnit): Block {
  return concat({
    b0: unit(32, 1, same),
    b1: chain({ a: unit(32, 1, same), b: unit(32, 3, same) }),
    b2: chain({ a: unit(32, 1, same), b: unit(48, 3, same), c: unit(64, 3, same) }),
  });
}

function block17(unit: ConvUnit): Block {
  return concat({
    b0: unit(192, 1, same),
    b1: chain({ a: unit(128, 1, same), b: unit(160, [1, 7], same), c: unit(192, [7, 1], same) }),
  });
}

function block8(unit: ConvUnit): Block {
  return concat({
    b0: unit(192, 1, same),
    b1: chain({ a: unit(192, 1, same), b: unit(224, [1, 3], same), c: unit(256, [3, 1], same) }),
  });
}

/** `count` residual blocks with a scaled branch; the last block8 is not scaled and has no ReLU. */
function repeated(auto: AutoName, kind: string, count: number, scale: number, mixed: Block): Block {
  const one = (i: number): Block => {
    const isLast = kind === "block8" && i === count - 1;
    return (x, name) => {
      const branch = chain({ mixed, conv: conv(sizeOf(x)[2] as number, 1, same) }, { join: "_" });
      const sum = auto(
        "custom_scale_layer",
        scaledAdd(isLast ? 1 : scale, (y) => branch(y, name)),
      )(x, name);
      return isLast ? sum : relu()(sum, `${name}_ac`);
    };
  };
  return stage(count, one, { name: (_, i) => `${kind}_${i + 1}` });
}
