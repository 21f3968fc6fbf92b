import { halfSidedPads, invertedResidual, squeezeExcite } from "@convkit/blocks";
import type { InvertedPart, SqueezePart } from "@convkit/blocks";
import {
  activation,
  batchNorm,
  chain,
  conv,
  dropout,
  normalization,
  rawPixels,
  rescale,
  sizeOf,
  zeroPad,
} from "@convkit/core";
import type { Architecture, Block, Init } from "@convkit/core";
import { averageHead } from "./shared/heads.ts";
import { kerasWeights } from "./shared/sources.ts";

const imagenet = {
  paper:
    "Tan and Le 2019, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, https://arxiv.org/abs/1905.11946",
  smallest: 32,
  classes: 1000,
  preprocessing: rawPixels,
  differs:
    "as in Keras, layers inside scale the pixels; Keras divides once more by the square root of the normalization's variance when it loads its ImageNet weights, as @convkit/weights does with published ones",
} as const;

/** The paper's table 1 for B0: kernel, blocks, filters, expansion, stride of the first. */
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
/** Chance at the end of the network that a block is skipped in training. */
const DROP_CONNECT = 0.2;

export const efficientnetB0: Architecture = {
  name: "efficientnet-b0",
  ...imagenet,
  input: [224, 224, 3],
  params: 5_330_571,
  trainable: 5_288_548,
  macs: 385_814_752,
  ...efficientnet({ width: 1, depth: 1, rate: 0.2 }),
  ...kerasWeights(77.1, 93.3, "Apache-2.0"),
};

export const efficientnetB1: Architecture = {
  name: "efficientnet-b1",
  ...imagenet,
  input: [240, 240, 3],
  params: 7_856_239,
  trainable: 7_794_184,
  macs: 686_802_832,
  ...efficientnet({ width: 1, depth: 1.1, rate: 0.2 }),
  ...kerasWeights(79.1, 94.4, "Apache-2.0"),
};

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

function efficientnet({
  width,
  depth,
  rate,
}: {
  width: number;
  depth: number;
  rate: number;
}): Pick<Architecture, "body" | "head"> {
  const filtersOf = (filters: number): number => divisibleByEight(filters * width);
  const swish = (): Block => activation("swish");
  const rows = table.flatMap(([kernel, blocks, filters, expansion, stride], stage) =>
    Array.from({ length: Math.ceil(depth * blocks) }, (_, i) => ({
      name: `block${stage + 1}${String.fromCharCode(97 + i)}`,
      kernel,
      expansion,
      filters: filtersOf(filters),
      stride: i === 0 ? stride : 1,
    })),
  );
  const block =
    ({ kernel, expansion, filters, stride }: (typeof rows)[number], i: number): Block =>
    (x, name) => {
      const chance = (DROP_CONNECT * i) / rows.length;
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
          naming: (at, part) => `${at}_${squeezeParts[part]}`,
        }),
        ...(chance > 0 ? { drop: dropout(chance, { perSample: true }) } : {}),
        naming: (at, part) => (part === "excite" ? `${at}_se` : `${at}_${parts[part]}`),
      })(x, name);
    };
  return {
    body: chain({
      rescaling: rescale(1 / 255),
      normalization: normalization(),
      stem_conv_pad: (x, name) => zeroPad(halfSidedPads(sizeOf(x)[0] as number, sizeOf(x)[1] as number, 3))(x, name),
      stem_conv: conv(filtersOf(32), 3, { stride: 2, padding: "valid", bias: false, init: kernelInit }), //   112 x 112
      stem_bn: batchNorm(),
      stem_activation: swish(),
      ...Object.fromEntries(rows.map((row, i) => [row.name, block(row, i)])),
      top_conv: conv(filtersOf(1280), 1, { padding: "same", bias: false, init: kernelInit }), //                7 x 7
      top_bn: batchNorm(),
      top_activation: swish(),
    }),
    head: (options) => averageHead(options, { rate, drop: "top_dropout", init: denseInit }),
  };
}

/** The nearest multiple of 8 that is no more than a tenth smaller. */
function divisibleByEight(filters: number): number {
  const rounded = Math.max(8, Math.floor((filters + 4) / 8) * 8);
  return rounded < 0.9 * filters ? rounded + 8 : rounded;
}
