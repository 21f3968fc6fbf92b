import { invertedResidual, squeezeExcite } from "@convkit/blocks";
import { halfSidedPads } from "@convkit/blocks/internal";
import type { InvertedPart, SqueezePart } from "@convkit/blocks";
import {
  batchNorm,
  chain,
  conv,
  dropout,
  named,
  normalization,
  rawPixels,
  rescale,
  sizeOf,
  stage,
  zeroPad,
} from "@convkit/core";
import type { Block, Init } from "@convkit/core";
import { averageHead } from "../shared/heads.ts";
import { counts, fromKeras } from "../shared/sources.ts";
import type { Counts, Network } from "../shared/sources.ts";
import { blockRows, paper, scaledFilters, skipChance, swish } from "./rows.ts";
import type { BlockRow } from "./rows.ts";

const imagenet = {
  paper,
  smallest: 32,
  classes: 1000,
  preprocessing: rawPixels,
  differs:
    "as in Keras, layers inside scale the pixels; when Keras loads its ImageNet weights it divides once more by the square root of the normalization's variance, as @convkit/weights does",
} as const;

const kernelInit: Init = { kind: "scaled", scale: 2, mode: "fanOut", distribution: "truncatedNormal" };
const denseInit: Init = { kind: "scaled", scale: 1 / 3, mode: "fanOut", distribution: "uniform" };
const parts: Readonly<Record<Exclude<InvertedPart, "excite">, string>> = {
  expand: "expand_conv",
  expandNorm: "expand_bn",
  expandRelu: "expand_activation",
  pad: "dwconv_pad",
  depthwise: "dwconv",
  depthwiseNorm: "bn",
  depthwiseRelu: "activation",
  project: "project_conv",
  projectNorm: "project_bn",
  drop: "drop",
  add: "add",
};
const squeezeParts: Readonly<Record<SqueezePart, string>> = {
  squeeze: "squeeze",
  reshape: "reshape",
  reduce: "reduce",
  expand: "expand",
  excite: "excite",
};

// Factors on width and depth, input; weights, trainable weights, multiply-adds; top-1 and top-5 accuracy; dropout.
export const efficientnetB0 = efficientnet(
  "efficientnet-b0",
  [1, 1],
  224,
  counts(5_330_571, 5_288_548, 385_814_752),
  [77.1, 93.3],
);
export const efficientnetB1 = efficientnet(
  "efficientnet-b1",
  [1, 1.1],
  240,
  counts(7_856_239, 7_794_184, 686_802_832),
  [79.1, 94.4],
);
export const efficientnetB2 = efficientnet(
  "efficientnet-b2",
  [1.1, 1.2],
  260,
  counts(9_177_569, 9_109_994, 993_561_872),
  [80.1, 94.9],
  0.3,
);
export const efficientnetB3 = efficientnet(
  "efficientnet-b3",
  [1.2, 1.4],
  300,
  counts(12_320_535, 12_233_232, 1_827_141_392),
  [81.6, 95.7],
  0.3,
);
export const efficientnetB4 = efficientnet(
  "efficientnet-b4",
  [1.4, 1.8],
  380,
  counts(19_466_823, 19_341_616, 4_393_771_024),
  [82.9, 96.4],
  0.4,
);
export const efficientnetB5 = efficientnet(
  "efficientnet-b5",
  [1.6, 2.2],
  456,
  counts(30_562_527, 30_389_784, 10_266_384_752),
  [83.6, 96.7],
  0.4,
);
export const efficientnetB6 = efficientnet(
  "efficientnet-b6",
  [1.8, 2.6],
  528,
  counts(43_265_143, 43_040_704, 19_067_593_536),
  [84.0, 96.8],
  0.5,
);
export const efficientnetB7 = efficientnet(
  "efficientnet-b7",
  [2, 3.1],
  600,
  counts(66_658_687, 66_347_960, 37_745_884_192),
  [84.3, 97.0],
  0.5,
);

function efficientnet(
  name: string,
  [width, depth]: readonly [number, number],
  size: number,
  numbers: Counts,
  [top1, top5]: readonly [number, number],
  rate = 0.2,
): Network {
  const rows = blockRows(width, depth).map((row) => ({
    ...row,
    name: `block${row.stage}${String.fromCharCode(97 + row.index)}`,
  }));
  const end = (stage: number): string => {
    const { name: last, index } = rows.findLast((row) => row.stage === stage)!;
    return `${last}_${index === 0 ? "project_bn" : "add"}`;
  };
  const block = (i: number): Block => oneBlock(rows[i] as BlockRow, skipChance(i, rows.length));
  return {
    name,
    ...imagenet,
    ...numbers,
    ...fromKeras(top1, top5, "Apache-2.0"),
    input: [size, size, 3],
    stages: [...[1, 2, 3, 5].map(end), "top_activation"],
    body: chain({
      rescaling: rescale(1 / 255),
      normalization: normalization(),
      stem: named("", stem(scaledFilters(32, width))), //                                                                112 x 112
      stem_bn: batchNorm(),
      stem_activation: swish(),
      blocks: stage(rows.length, block, { name: (_, i) => rows[i]?.name as string }),
      top_conv: conv(scaledFilters(1280, width), 1, { padding: "same", bias: false, init: kernelInit }), //                7 x 7
      top_bn: batchNorm(),
      top_activation: swish(),
    }),
    head: (options) => averageHead(options, { rate, drop: "top_dropout", init: denseInit }),
  };
}

/** The first convolution. As in Keras, a separate layer pads if the size is known. */
function stem(filters: number): Block {
  return (x) => {
    const [height, width] = sizeOf(x);
    const options = { stride: 2, bias: false, init: kernelInit } as const;
    if (height == null || width == null) return conv(filters, 3, { ...options, padding: "same" })(x, "stem_conv");
    const padded = zeroPad(halfSidedPads(height, width, 3))(x, "stem_conv_pad");
    return conv(filters, 3, { ...options, padding: "valid" })(padded, "stem_conv");
  };
}

/** An inverted residual with squeeze-and-excitation, skipped in training with probability `chance`. */
function oneBlock({ kernel, expansion, filters, stride }: BlockRow, chance: number): Block {
  return (x, name) => {
    const reduced = Math.max(1, Math.floor((sizeOf(x)[2] as number) / 4));
    return invertedResidual(filters, {
      stride,
      expansion,
      kernel,
      padding: "keras",
      init: kernelInit,
      activation: swish,
      excite: squeezeExcite(reduced, {
        activation: "swish",
        init: kernelInit,
        naming: (path, part) => `${path}_${squeezeParts[part]}`,
      }),
      drop: chance > 0 ? dropout(chance, { perSample: true }) : undefined,
      naming: (path, part) => (part === "excite" ? `${path}_se` : `${path}_${parts[part]}`),
    })(x, name);
  };
}
