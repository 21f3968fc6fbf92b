import { invertedResidual, squeezeExcite } from "@convkit/blocks";
import { halfSidedPads } from "@convkit/blocks/internal";
import type { InvertedPart, SqueezePart } from "@convkit/blocks";
import {
  activation,
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
import { averageHead } from "./shared/heads.ts";
import { counts, fromKeras } from "./shared/sources.ts";
import type { Counts, Network } from "./shared/sources.ts";

const imagenet = {
  paper:
    "Tan and Le 2019, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, https://arxiv.org/abs/1905.11946",
  smallest: 32,
  classes: 1000,
  preprocessing: rawPixels,
  differs:
    "as in Keras, layers inside scale the pixels; when Keras loads its ImageNet weights it divides once more by the square root of the normalization's variance, as @convkit/weights does",
} as const;

/** The paper's table 1 for B0: kernel, number of blocks, filters, expansion, stride of the first block. */
const table = [
  [3, 1, 16, 1, 1], //    112 x 112
  [3, 2, 24, 6, 2], //     56 x 56
  [5, 2, 40, 6, 2], //     28 x 28
  [3, 3, 80, 6, 2], //     14 x 14
  [5, 3, 112, 6, 1],
  [5, 4, 192, 6, 2], //     7 x 7
  [3, 1, 320, 6, 1],
] as const;

const kernelInit: Init = { kind: "scaled", scale: 2, mode: "fanOut", distribution: "truncatedNormal" };
const denseInit: Init = { kind: "scaled", scale: 1 / 3, mode: "fanOut", distribution: "uniform" };
/** Probability that training skips the last block; it grows from 0 at the first block. */
const DROP_CONNECT = 0.2;

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

// Factors on width and depth, input; weights, trainable weights, multiply-adds; top-1 and top-5 accuracy.
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

/** A row of the network: one block. */
interface Row {
  readonly name: string;
  readonly kernel: number;
  readonly expansion: number;
  readonly filters: number;
  readonly stride: number;
}

function efficientnet(
  name: string,
  [width, depth]: readonly [number, number],
  size: number,
  numbers: Counts,
  [top1, top5]: readonly [number, number],
): Network {
  const filtersOf = (filters: number): number => divisibleByEight(filters * width);
  const rows = table.flatMap(([kernel, blocks, filters, expansion, stride], row) =>
    Array.from({ length: Math.ceil(depth * blocks) }, (_, i): Row => ({
      name: `block${row + 1}${String.fromCharCode(97 + i)}`,
      kernel,
      expansion,
      filters: filtersOf(filters),
      stride: i === 0 ? stride : 1,
    })),
  );
  const last = (row: number): Row => rows.findLast((each) => each.name.startsWith(`block${row}`)) as Row;
  const end = (row: number): string => `${last(row).name}_${last(row).name.endsWith("a") ? "project_bn" : "add"}`;
  const block = (i: number): Block => oneBlock(rows[i] as Row, (DROP_CONNECT * i) / rows.length);
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
      stem: named("", stem(filtersOf(32))), //                                                                112 x 112
      stem_bn: batchNorm(),
      stem_activation: swish(),
      blocks: stage(rows.length, block, { name: (_, i) => rows[i]?.name as string }),
      top_conv: conv(filtersOf(1280), 1, { padding: "same", bias: false, init: kernelInit }), //                7 x 7
      top_bn: batchNorm(),
      top_activation: swish(),
    }),
    head: (options) => averageHead(options, { rate: 0.2, drop: "top_dropout", init: denseInit }),
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
function oneBlock({ kernel, expansion, filters, stride }: Row, chance: number): Block {
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

function swish(): Block {
  return activation("swish");
}

/** The nearest multiple of 8 that is at most 10 % smaller. */
function divisibleByEight(filters: number): number {
  const rounded = Math.max(8, Math.floor((filters + 4) / 8) * 8);
  return rounded < 0.9 * filters ? rounded + 8 : rounded;
}
