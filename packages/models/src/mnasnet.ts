import { invertedResidual } from "@convkit/blocks";
import type { InvertedPart } from "@convkit/blocks";
import { batchNorm, chain, conv, depthwiseConv, heNormalFanOut, relu, stage, torchPixels } from "@convkit/core";
import type { Block } from "@convkit/core";
import { eights } from "./shared/eights.ts";
import { torchHead } from "./shared/heads.ts";
import { counts, fromTorchvision } from "./shared/sources.ts";
import type { Counts, Network } from "./shared/sources.ts";

const imagenet = {
  paper:
    "Tan et al. 2018, MnasNet: Platform-Aware Neural Architecture Search for Mobile, https://arxiv.org/abs/1807.11626",
  input: [224, 224, 3],
  smallest: 1,
  classes: 1000,
  preprocessing: torchPixels,
  differs: "from the paper's A1: no squeeze-and-excitation, which is its B1",
  stages: ["layers.b7", "layers.b8.b2.add", "layers.b9.b2.add", "layers.b11.b1.add", "layers.b16"],
} as const;
const norm = { epsilon: 1e-5, momentum: 0.9997 };
const fanOut = { bias: false, init: heNormalFanOut } as const;

/** The paper's figure 7: kernel, expansion, filters, number of blocks, stride of the first block. */
const table = [
  [3, 3, 24, 3, 2], //     56 x 56
  [5, 3, 40, 3, 2], //     28 x 28
  [5, 6, 80, 3, 2], //     14 x 14
  [3, 6, 96, 2, 1],
  [5, 6, 192, 4, 2], //     7 x 7
  [3, 6, 320, 1, 1],
] as const;

interface Row {
  readonly name: string;
  readonly kernel: number;
  readonly expansion: number;
  readonly filters: number;
  readonly stride: number;
}

const parts: Readonly<Record<InvertedPart, string>> = {
  expand: "layers.b0",
  expandNorm: "layers.b1",
  expandRelu: "layers.b2",
  pad: "layers.pad",
  depthwise: "layers.b3",
  depthwiseNorm: "layers.b4",
  depthwiseRelu: "layers.b5",
  excite: "excite",
  project: "layers.b6",
  projectNorm: "layers.b7",
  drop: "drop",
  add: "add",
};

// Factor on the channels; weights, trainable weights, multiply-adds; top-1 and top-5 accuracy.
export const mnasnet05 = scaled("mnasnet0-5", 0.5, counts(2_239_136, 2_218_512, 104_455_968), [67.734, 87.49]);
export const mnasnet075 = scaled("mnasnet0-75", 0.75, counts(3_200_016, 3_170_208, 215_493_104), [71.18, 90.496]);
export const mnasnet = scaled("mnasnet1-0", 1, counts(4_421_232, 4_383_312, 314_415_872), [73.456, 91.51]);
export const mnasnet13 = scaled("mnasnet1-3", 1.3, counts(6_331_072, 6_282_256, 526_362_432), [76.506, 93.522]);

/** The network with this factor on its channels. */
function scaled(name: string, width: number, numbers: Counts, [top1, top5]: readonly [number, number]): Network {
  const rows = table.flatMap(([kernel, expansion, filters, blocks, stride], i) =>
    Array.from({ length: blocks }, (_, j): Row => ({
      name: `layers.b${8 + i}.b${j}`,
      kernel,
      expansion,
      filters: eights(width * filters),
      stride: j === 0 ? stride : 1,
    })),
  );
  const first = eights(width * 32);
  return {
    name,
    ...imagenet,
    ...numbers,
    ...fromTorchvision(top1, top5),
    body: chain({
      layers: chain({
        b0: conv(first, 3, { stride: 2, padding: 1, ...fanOut }), //             112 x 112 x 32
        b1: batchNorm(norm),
        b2: relu(),
        b3: depthwiseConv(3, { padding: 1, ...fanOut }),
        b4: batchNorm(norm),
        b5: relu(),
        b6: conv(eights(width * 16), 1, { padding: "valid", ...fanOut }),
        b7: batchNorm(norm),
        blocks: stage(rows.length, (i) => block(rows[i]!), { name: (_, i) => rows[i]!.name }),
        b14: conv(1280, 1, { padding: "valid", ...fanOut }), //                   7 x 7 x 1280
        b15: batchNorm(norm),
        b16: relu(),
      }),
    }),
    head: (options) => torchHead(options, { name: "classifier.b1", rate: 0.2 }),
  };
}

function block({ kernel, expansion, filters, stride }: Row): Block {
  return invertedResidual(filters, {
    kernel,
    expansion,
    stride,
    padding: (kernel - 1) / 2,
    norm,
    init: heNormalFanOut,
    activation: relu,
    naming: (path, part) => `${path}.${parts[part]}`,
  });
}
