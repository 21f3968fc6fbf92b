import { invertedResidual, squeezeExcite } from "@convkit/blocks";
import {
  batchNorm,
  chain,
  classActivation,
  conv,
  dense,
  dropout,
  globalAvgPool,
  hardSwish,
  heNormalFanOut,
  relu,
  sizeOf,
  stage,
  torchPixels,
} from "@convkit/core";
import type { Block } from "@convkit/core";
import { eights } from "./shared/eights.ts";
import { counts, fromTorchvision } from "./shared/sources.ts";
import type { Counts, Network } from "./shared/sources.ts";
import { torchInverted, torchSqueeze } from "./shared/torch-inverted.ts";

const imagenet = {
  paper: "Howard et al. 2019, Searching for MobileNetV3, https://arxiv.org/abs/1905.02244",
  input: [224, 224, 3],
  smallest: 1,
  classes: 1000,
  preprocessing: torchPixels,
} as const;
const norm = { epsilon: 1e-3, momentum: 0.99 };

/** Kernel, channels inside, filters, squeeze-and-excitation, activation, stride. */
type Row = readonly [
  kernel: number,
  inside: number,
  filters: number,
  excites: boolean,
  kind: "RE" | "HS",
  stride: number,
];

/** The paper's table 1. */
const large: readonly Row[] = [
  [3, 16, 16, false, "RE", 1], //    112 x 112
  [3, 64, 24, false, "RE", 2], //     56 x 56
  [3, 72, 24, false, "RE", 1],
  [5, 72, 40, true, "RE", 2], //      28 x 28
  [5, 120, 40, true, "RE", 1],
  [5, 120, 40, true, "RE", 1],
  [3, 240, 80, false, "HS", 2], //    14 x 14
  [3, 200, 80, false, "HS", 1],
  [3, 184, 80, false, "HS", 1],
  [3, 184, 80, false, "HS", 1],
  [3, 480, 112, true, "HS", 1],
  [3, 672, 112, true, "HS", 1],
  [5, 672, 160, true, "HS", 2], //     7 x 7
  [5, 960, 160, true, "HS", 1],
  [5, 960, 160, true, "HS", 1],
];

/** The paper's table 2. */
const small: readonly Row[] = [
  [3, 16, 16, true, "RE", 2], //      56 x 56
  [3, 72, 24, false, "RE", 2], //     28 x 28
  [3, 88, 24, false, "RE", 1],
  [5, 96, 40, true, "HS", 2], //      14 x 14
  [5, 240, 40, true, "HS", 1],
  [5, 240, 40, true, "HS", 1],
  [5, 120, 48, true, "HS", 1],
  [5, 144, 48, true, "HS", 1],
  [5, 288, 96, true, "HS", 2], //      7 x 7
  [5, 576, 96, true, "HS", 1],
  [5, 576, 96, true, "HS", 1],
];

// Rows, channels of the head, ends of stages; weights, trainable weights, multiply-adds; top-1 and top-5 accuracy.
export const mobilenetV3Large = mobilenetV3(
  "mobilenet-v3-large",
  large,
  1280,
  ["features.b1.add", "features.b3.add", "features.b6.add", "features.b12.add", "features.b16.b2"],
  counts(5_507_432, 5_483_032, 216_589_760),
  [74.042, 91.34],
);
export const mobilenetV3Small = mobilenetV3(
  "mobilenet-v3-small",
  small,
  1024,
  ["features.b0.b2", "features.b1.block.b2.b1", "features.b3.add", "features.b8.add", "features.b12.b2"],
  counts(2_554_968, 2_542_856, 56_510_400),
  [67.668, 87.402],
);

function mobilenetV3(
  name: string,
  rows: readonly Row[],
  width: number,
  stages: readonly string[],
  numbers: Counts,
  [top1, top5]: readonly [number, number],
): Network {
  const last = 6 * (rows.at(-1) as Row)[2];
  return {
    name,
    ...imagenet,
    ...numbers,
    ...fromTorchvision(top1, top5),
    stages,
    body: chain({
      features: chain({
        b0: unit(16, 3, 2), //                                                               112 x 112 x 16
        blocks: stage(rows.length, (i) => block(rows[i] as Row), { name: (_, i) => `features.b${i + 1}` }),
        [`b${rows.length + 1}`]: unit(last, 1, 1), //                                          7 x 7
      }),
    }),
    head: (options) =>
      chain({
        avgpool: globalAvgPool(),
        classifier: chain({
          b0: dense(width),
          b1: hardSwish(),
          b2: dropout(options.dropout ?? 0.2),
          b3: dense(options.classes, { activation: classActivation(options) }),
        }),
      }),
  };
}

function block([kernel, inside, filters, excites, kind, stride]: Row): Block {
  return (x, name) => {
    const expansion = inside / (sizeOf(x)[2] as number);
    return invertedResidual(filters, {
      stride,
      expansion,
      kernel,
      padding: (kernel - 1) / 2,
      norm,
      init: heNormalFanOut,
      activation: kind === "HS" ? hardSwish : relu,
      excite: excites ? excite(inside) : undefined,
      naming: torchInverted({ expands: expansion !== 1, excites }),
    })(x, name);
  };
}

/** Squeeze-and-excitation with a quarter of the channels, as a multiple of 8. */
function excite(inside: number): Block {
  const reduced = eights(Math.floor(inside / 4));
  return squeezeExcite(reduced, { gate: "hardSigmoidOfThree", init: heNormalFanOut, naming: torchSqueeze });
}

function unit(filters: number, kernel: number, stride: number): Block {
  return chain({
    b0: conv(filters, kernel, { stride, padding: (kernel - 1) / 2, bias: false, init: heNormalFanOut }),
    b1: batchNorm(norm),
    b2: hardSwish(),
  });
}
