import { chain, stage, torchPixels } from "@convkit/core";
import type { BatchNormOptions } from "@convkit/core";
import { torchHead } from "../shared/heads.ts";
import { counts, fromTorchvision } from "../shared/sources.ts";
import type { Counts, Network } from "../shared/sources.ts";
import { blockRows, paper, scaledFilters, skipChance } from "./rows.ts";
import type { BlockRow } from "./rows.ts";
import { mbConv, unit } from "./torch-blocks.ts";

const imagenet = {
  paper,
  smallest: 1,
  classes: 1000,
  preprocessing: torchPixels,
  differs: "from Keras': pads both sides at stride 2, epsilon 1e-5 (B5 to B7: 1e-3), takes scaled pixels",
} as const;
/** Of B0 to B4. */
const usual = { epsilon: 1e-5, momentum: 0.9 };
/** Of B5 to B7, whose weights were trained elsewhere. */
const wider = { epsilon: 1e-3, momentum: 0.99 };

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
export const efficientnetB5Tv = efficientnet(
  "efficientnet-b5-tv",
  [1.6, 2.2],
  456,
  counts(30_562_520, 30_389_784, 10_266_384_752),
  [83.444, 96.628],
  0.4,
  wider,
);
export const efficientnetB6Tv = efficientnet(
  "efficientnet-b6-tv",
  [1.8, 2.6],
  528,
  counts(43_265_136, 43_040_704, 19_067_593_536),
  [84.008, 96.916],
  0.5,
  wider,
);
export const efficientnetB7Tv = efficientnet(
  "efficientnet-b7-tv",
  [2, 3.1],
  600,
  counts(66_658_680, 66_347_960, 37_745_884_192),
  [84.122, 96.908],
  0.5,
  wider,
);

function efficientnet(
  name: string,
  [width, depth]: readonly [number, number],
  size: number,
  numbers: Counts,
  [top1, top5]: readonly [number, number],
  rate = 0.2,
  norm: BatchNormOptions = usual,
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
        b0: unit(scaledFilters(32, width), { kernel: 3, stride: 2, norm }), //       112 x 112
        blocks: stage(rows.length, (i) => mbConv(rows[i] as BlockRow, { chance: skipChance(i, rows.length), norm }), {
          name: (_, i) => path(rows[i] as BlockRow),
        }),
        b8: unit(scaledFilters(1280, width), { norm }), //       7 x 7
      }),
    }),
    head: (options) => torchHead(options, { name: "classifier.b1", rate }),
  };
}
