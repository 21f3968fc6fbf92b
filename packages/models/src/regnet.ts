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
  /** Channels of a group of the 3x3 convolutions. */
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
export const regnetY400 = regnet(
  "regnet-y-400mf",
  { widths: [48, 104, 208, 440], depths: [1, 3, 6, 6], group: 8, excites: true },
  counts(4_371_296, 4_344_144, 401_842_848),
  [74.046, 91.716],
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
        b: unit(filters, 3, { stride, groups: filters / group }),
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
