import { chain, signedPixels, stage, torchPixels } from "@convkit/core";
import type { Preprocessing } from "@convkit/core";
import { torchHead } from "../shared/heads.ts";
import { counts, fromTorchvision } from "../shared/sources.ts";
import type { Counts, Network } from "../shared/sources.ts";
import { skipChance } from "./rows.ts";
import { fusedMbConv, mbConv, unit } from "./torch-blocks.ts";

const imagenet = {
  paper: "Tan and Le 2021, EfficientNetV2: Smaller Models and Faster Training, https://arxiv.org/abs/2104.00298",
  smallest: 1,
  classes: 1000,
} as const;
const norm = { epsilon: 1e-3, momentum: 0.9 };

/** Whether the expansion is fused, expansion, filters, number of blocks, stride of the first block. All kernels are 3x3. */
type Row = readonly [kind: "fused" | "plain", expansion: number, filters: number, blocks: number, stride: number];

/** The paper's table 4. */
const small: readonly Row[] = [
  ["fused", 1, 24, 2, 1], //    192 x 192
  ["fused", 4, 48, 4, 2], //     96 x 96
  ["fused", 4, 64, 4, 2], //     48 x 48
  ["plain", 4, 128, 6, 2], //    24 x 24
  ["plain", 6, 160, 9, 1],
  ["plain", 6, 256, 15, 2], //   12 x 12
];
const medium: readonly Row[] = [
  ["fused", 1, 24, 3, 1], //    240 x 240
  ["fused", 4, 48, 5, 2], //    120 x 120
  ["fused", 4, 80, 5, 2], //     60 x 60
  ["plain", 4, 160, 7, 2], //    30 x 30
  ["plain", 6, 176, 14, 1],
  ["plain", 6, 304, 18, 2], //   15 x 15
  ["plain", 6, 512, 5, 1],
];
const large: readonly Row[] = [
  ["fused", 1, 32, 4, 1], //    240 x 240
  ["fused", 4, 64, 7, 2], //    120 x 120
  ["fused", 4, 96, 7, 2], //     60 x 60
  ["plain", 4, 192, 10, 2], //   30 x 30
  ["plain", 6, 224, 19, 1],
  ["plain", 6, 384, 25, 2], //   15 x 15
  ["plain", 6, 640, 7, 1],
];

// Rows, dropout, input, preprocessing; weights, trainable weights, multiply-adds; top-1 and top-5 accuracy.
export const efficientnetV2S = efficientnet(
  "efficientnet-v2-s",
  small,
  { rate: 0.2, size: 384, preprocessing: torchPixels },
  counts(21_612_360, 21_458_488, 8_365_617_152),
  [84.228, 96.878],
);
export const efficientnetV2M = efficientnet(
  "efficientnet-v2-m",
  medium,
  { rate: 0.3, size: 480, preprocessing: torchPixels },
  counts(54_431_388, 54_139_356, 24_582_460_384),
  [85.112, 97.156],
);
export const efficientnetV2L = efficientnet(
  "efficientnet-v2-l",
  large,
  { rate: 0.4, size: 480, preprocessing: signedPixels },
  counts(119_027_848, 118_515_272, 56_079_699_008),
  [85.808, 97.788],
);

function efficientnet(
  name: string,
  table: readonly Row[],
  {
    rate,
    size,
    preprocessing,
  }: { readonly rate: number; readonly size: number; readonly preprocessing: Preprocessing },
  numbers: Counts,
  [top1, top5]: readonly [number, number],
): Network {
  const rows = table.flatMap(([kind, expansion, filters, blocks, stride], i) =>
    Array.from({ length: blocks }, (_, j) => ({
      name: `features.b${i + 1}.b${j}`,
      make: kind === "fused" ? fusedMbConv : mbConv,
      row: { kernel: 3, expansion, filters, stride: j === 0 ? stride : 1 },
    })),
  );
  const last = table.length + 1;
  const end = (row: number): string => `features.b${row}.b${(table[row - 1] as Row)[3] - 1}.add`;
  return {
    name,
    ...imagenet,
    ...numbers,
    ...fromTorchvision(top1, top5),
    preprocessing,
    input: [size, size, 3],
    stages: [...[1, 2, 3, 5].map(end), `features.b${last}.b2`],
    body: chain({
      features: chain({
        b0: unit((table[0] as Row)[2], { kernel: 3, stride: 2, norm }), //   half the input
        blocks: stage(rows.length, (i) => rows[i]!.make(rows[i]!.row, { chance: skipChance(i, rows.length), norm }), {
          name: (_, i) => rows[i]!.name,
        }),
        [`b${last}`]: unit(1280, { norm }), //                               a 32nd of the input
      }),
    }),
    head: (options) => torchHead(options, { name: "classifier.b1", rate }),
  };
}
