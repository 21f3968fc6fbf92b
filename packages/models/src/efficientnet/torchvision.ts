import { invertedResidual, squeezeExcite } from "@convkit/blocks";
import { batchNorm, chain, conv, dropout, heNormalFanOut, stage, torchPixels } from "@convkit/core";
import type { Block } from "@convkit/core";
import { torchHead } from "../shared/heads.ts";
import { counts, fromTorchvision } from "../shared/sources.ts";
import type { Counts, Network } from "../shared/sources.ts";
import { torchInverted, torchSqueeze } from "../shared/torch-inverted.ts";
import { blockRows, paper, scaledFilters, skipChance, swish } from "./rows.ts";
import type { BlockRow } from "./rows.ts";

const imagenet = {
  paper,
  smallest: 1,
  classes: 1000,
  preprocessing: torchPixels,
  differs: "from Keras': pads both sides at stride 2, epsilon 1e-5, takes scaled pixels",
} as const;
const norm = { epsilon: 1e-5, momentum: 0.9 };

// Factors on width and depth, input; weights, trainable weights, multiply-adds; top-1 and top-5 accuracy; dropout.
export const efficientnetB0Tv = efficientnet(
  "efficientnet-b0-tv",
  [1, 1],
  224,
  counts(5_330_564, 5_288_548, 385_814_752),
  [77.692, 93.532],
);
export const efficientnetB1Tv = efficientnet(
  "efficientnet-b1-tv",
  [1, 1.1],
  240,
  counts(7_856_232, 7_794_184, 686_802_832),
  [78.642, 94.186],
);
export const efficientnetB2Tv = efficientnet(
  "efficientnet-b2-tv",
  [1.1, 1.2],
  288,
  counts(9_177_562, 9_109_994, 1_087_529_456),
  [80.608, 95.31],
  0.3,
);
export const efficientnetB3Tv = efficientnet(
  "efficientnet-b3-tv",
  [1.2, 1.4],
  300,
  counts(12_320_528, 12_233_232, 1_827_141_392),
  [82.008, 96.054],
  0.3,
);
export const efficientnetB4Tv = efficientnet(
  "efficientnet-b4-tv",
  [1.4, 1.8],
  380,
  counts(19_466_816, 19_341_616, 4_393_771_024),
  [83.384, 96.594],
  0.4,
);

function efficientnet(
  name: string,
  [width, depth]: readonly [number, number],
  size: number,
  numbers: Counts,
  [top1, top5]: readonly [number, number],
  rate = 0.2,
): Network {
  const rows = blockRows(width, depth);
  const path = ({ stage, index }: BlockRow): string => `features.b${stage}.b${index}`;
  const end = (stage: number): string => {
    const last = rows.findLast((row) => row.stage === stage)!;
    return `${path(last)}.${last.index === 0 ? "block.b2.b1" : "add"}`;
  };
  return {
    name,
    ...imagenet,
    ...numbers,
    ...fromTorchvision(top1, top5),
    input: [size, size, 3],
    stages: [...[1, 2, 3, 5].map(end), "features.b8.b2"],
    body: chain({
      features: chain({
        b0: unit(scaledFilters(32, width), 3, 2), //       112 x 112
        blocks: stage(rows.length, (i) => block(rows[i] as BlockRow, skipChance(i, rows.length)), {
          name: (_, i) => path(rows[i] as BlockRow),
        }),
        b8: unit(scaledFilters(1280, width), 1, 1), //       7 x 7
      }),
    }),
    head: (options) => torchHead(options, { name: "classifier.b1", rate }),
  };
}

function block({ kernel, expansion, filters, stride }: BlockRow, chance: number): Block {
  const naming = torchInverted({ expands: expansion !== 1, excites: true });
  return (x, name) => {
    const reduced = Math.max(1, Math.floor((x.shape.at(-1) as number) / 4));
    return invertedResidual(filters, {
      stride,
      expansion,
      kernel,
      padding: (kernel - 1) / 2,
      norm,
      init: heNormalFanOut,
      activation: swish,
      excite: squeezeExcite(reduced, {
        activation: "swish",
        init: heNormalFanOut,
        naming: torchSqueeze,
      }),
      drop: chance > 0 ? dropout(chance, { perSample: true }) : undefined,
      naming,
    })(x, name);
  };
}

function unit(filters: number, kernel: number, stride: number): Block {
  return chain({
    b0: conv(filters, kernel, { stride, padding: (kernel - 1) / 2, bias: false, init: heNormalFanOut }),
    b1: batchNorm(norm),
    b2: swish(),
  });
}
