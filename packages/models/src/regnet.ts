import { residual, squeezeExcite } from "@convkit/blocks";
import { batchNorm, chain, conv, heNormalFanOut, named, relu, sizeOf, stage, torchPixels } from "@convkit/core";
import type { Block } from "@convkit/core";
import { torchHead } from "./shared/heads.ts";
import { counts, fromTorchvision } from "./shared/sources.ts";
import type { Counts, Network } from "./shared/sources.ts";
import { torchSqueeze } from "./shared/torch-inverted.ts";

const imagenet = {
  paper: "Radosavovic et al. 2020, Designing Network Design Spaces, https://arxiv.org/abs/2003.13678",
  input: [224, 224, 3],
  smallest: 1,
  classes: 1000,
  preprocessing: torchPixels,
} as const;
const norm = { epsilon: 1e-5, momentum: 0.9 };

interface Stages {
  /** Filters and blocks of each stage, which halves the size. */
  readonly widths: readonly number[];
  readonly depths: readonly number[];
  /** Channels of a group of the 3x3 convolutions; a narrower stage is one group. */
  readonly group: number;
  /** Whether blocks have squeeze-and-excitation with a quarter of the channels that enter the block. */
  readonly excites: boolean;
}

// The paper's tables; weights, trainable weights, multiply-adds; top-1 and top-5 accuracy.
export const regnetX400 = regnet(
  "regnet-x-400mf",
  { widths: [32, 64, 160, 400], depths: [1, 2, 7, 12], group: 16, excites: false },
  counts(5_533_832, 5_495_976, 413_812_608),
  [72.834, 90.95],
);
export const regnetX800 = regnet(
  "regnet-x-800mf",
  { widths: [64, 128, 288, 672], depths: [1, 3, 7, 5], group: 16, excites: false },
  counts(7_296_968, 7_259_656, 799_699_712),
  [75.212, 92.348],
);
export const regnetX1600 = regnet(
  "regnet-x-1-6gf",
  { widths: [72, 168, 408, 912], depths: [2, 4, 10, 2], group: 24, excites: false },
  counts(9_233_640, 9_190_136, 1_602_849_792),
  [77.04, 93.44],
);
export const regnetX3200 = regnet(
  "regnet-x-3-2gf",
  { widths: [96, 192, 432, 1008], depths: [2, 6, 15, 2], group: 48, excites: false },
  counts(15_359_112, 15_296_552, 3_176_621_952),
  [78.364, 93.992],
);
export const regnetX8000 = regnet(
  "regnet-x-8gf",
  { widths: [80, 240, 720, 1920], depths: [2, 5, 15, 1], group: 120, excites: false },
  counts(39_663_112, 39_572_648, 7_995_132_416),
  [79.344, 94.686],
);
export const regnetX16000 = regnet(
  "regnet-x-16gf",
  { widths: [256, 512, 896, 2048], depths: [2, 6, 13, 1], group: 128, excites: false },
  counts(54_389_704, 54_278_536, 15_940_755_456),
  [80.058, 94.944],
);
export const regnetX32000 = regnet(
  "regnet-x-32gf",
  { widths: [336, 672, 1344, 2520], depths: [2, 7, 13, 1], group: 168, excites: false },
  counts(107_973_576, 107_811_560, 31_735_929_792),
  [80.622, 95.248],
);
export const regnetY400 = regnet(
  "regnet-y-400mf",
  { widths: [48, 104, 208, 440], depths: [1, 3, 6, 6], group: 8, excites: true },
  counts(4_371_296, 4_344_144, 401_842_848),
  [74.046, 91.716],
);
export const regnetY800 = regnet(
  "regnet-y-800mf",
  { widths: [64, 144, 320, 784], depths: [1, 3, 8, 2], group: 16, excites: true },
  counts(6_462_944, 6_432_512, 833_856_256),
  [76.42, 93.136],
);
export const regnetY1600 = regnet(
  "regnet-y-1-6gf",
  { widths: [48, 120, 336, 888], depths: [2, 6, 17, 2], group: 24, excites: true },
  counts(11_255_102, 11_202_430, 1_612_076_160),
  [77.95, 93.966],
);
export const regnetY3200 = regnet(
  "regnet-y-3-2gf",
  { widths: [72, 216, 576, 1512], depths: [2, 5, 13, 1], group: 24, excites: true },
  counts(19_502_498, 19_436_338, 3_176_482_752),
  [78.948, 94.576],
);
export const regnetY8000 = regnet(
  "regnet-y-8gf",
  { widths: [224, 448, 896, 2016], depths: [2, 4, 10, 1], group: 56, excites: true },
  counts(39_468_000, 39_381_472, 8_473_070_592),
  [80.032, 95.048],
);
export const regnetY16000 = regnet(
  "regnet-y-16gf",
  { widths: [224, 448, 1232, 3024], depths: [2, 4, 11, 1], group: 112, excites: true },
  counts(83_712_956, 83_590_140, 15_911_510_272),
  [80.424, 95.24],
);
export const regnetY32000 = regnet(
  "regnet-y-32gf",
  { widths: [232, 696, 1392, 3712], depths: [2, 5, 12, 1], group: 232, excites: true },
  counts(145_205_058, 145_046_770, 32_279_552_832),
  [80.878, 95.34],
);

function regnet(
  name: string,
  { widths, depths, group, excites }: Stages,
  numbers: Counts,
  [top1, top5]: readonly [number, number],
): Network {
  const path = (s: number, i: number): string => `trunk_output.block${s + 1}.block${s + 1}-${i}`;
  const stages = widths.map((width, s) =>
    stage(depths[s]!, (i) => bottleneck(width, i === 0 ? 2 : 1, { group, excites }), { name: (_, i) => path(s, i) }),
  );
  return {
    name,
    ...imagenet,
    ...numbers,
    ...fromTorchvision(top1, top5),
    stages: ["stem.b2", ...depths.map((depth, s) => `${path(s, depth - 1)}.activation`)],
    body: chain({
      stem: unit(32, 3, { stride: 2 }), //                                           112 x 112 x 32
      trunk: stage(stages.length, (s) => stages[s]!), //                                 7 x 7
    }),
    head: torchHead,
  };
}

/** A bottleneck as wide inside as outside, beside a shortcut: `[n, h, w, c] -> [n, h / stride, w / stride, filters]`. */
function bottleneck(filters: number, stride: number, { group, excites }: Pick<Stages, "group" | "excites">): Block {
  return (x, name) => {
    const reduced = Math.round((sizeOf(x)[2] as number) / 4);
    const main = chain({
      f: chain({
        a: unit(filters, 1),
        b: unit(filters, 3, { stride, groups: filters / Math.min(group, filters) }),
        ...(excites ? { se: squeezeExcite(reduced, { init: heNormalFanOut, naming: torchSqueeze }) } : {}),
        c: linear(filters, 1),
      }),
    });
    const sum = residual(main, (width) => chain({ proj: linear(width, stride) }), { stride })(x, name);
    return named(`${name}.activation`, relu())(sum, name);
  };
}

/** A convolution with norm and ReLU. */
function unit(filters: number, kernel: number, { stride = 1, groups = 1 } = {}): Block {
  return chain({
    b0: conv(filters, kernel, { stride, padding: (kernel - 1) / 2, groups, bias: false, init: heNormalFanOut }),
    b1: batchNorm(norm),
    b2: relu(),
  });
}

/** A 1x1 convolution with norm. */
function linear(filters: number, stride: number): Block {
  return chain({
    b0: conv(filters, 1, { stride, padding: "valid", bias: false, init: heNormalFanOut }),
    b1: batchNorm(norm),
  });
}
