import {
  activation,
  add,
  chain,
  classActivation,
  conv,
  dense,
  depthwiseConv,
  dropout,
  globalAvgPool,
  identity,
  layerNorm,
  layerScale,
  named,
  stage,
  torchPixels,
  truncatedNormal,
} from "@convkit/core";
import type { Block } from "@convkit/core";
import { dropped } from "./shared/heads.ts";
import { counts, fromTorchvision } from "./shared/sources.ts";
import type { Counts, Network } from "./shared/sources.ts";

const imagenet = {
  paper: "Liu et al. 2022, A ConvNet for the 2020s, https://arxiv.org/abs/2201.03545",
  input: [224, 224, 3],
  smallest: 32,
  classes: 1000,
  preprocessing: torchPixels,
} as const;
const epsilon = 1e-6;
const init = truncatedNormal(0.02);

// Filters and blocks of each stage; probability that training skips the last block; weights, multiply-adds; top-1 and top-5 accuracy.
export const convnextTiny = convnext(
  "convnext-tiny",
  [96, 192, 384, 768],
  [3, 3, 9, 3],
  0.1,
  counts(28_589_128, 28_589_128, 4_455_531_264),
  [82.52, 96.146],
);
export const convnextSmall = convnext(
  "convnext-small",
  [96, 192, 384, 768],
  [3, 3, 27, 3],
  0.4,
  counts(50_223_688, 50_223_688, 8_683_712_256),
  [83.616, 96.65],
);
export const convnextBase = convnext(
  "convnext-base",
  [128, 256, 512, 1024],
  [3, 3, 27, 3],
  0.5,
  counts(88_591_464, 88_591_464, 15_354_729_472),
  [84.062, 96.87],
);
export const convnextLarge = convnext(
  "convnext-large",
  [192, 384, 768, 1536],
  [3, 3, 27, 3],
  0.5,
  counts(197_767_336, 197_767_336, 34_361_433_600),
  [84.414, 96.976],
);

function convnext(
  name: string,
  widths: readonly number[],
  depths: readonly number[],
  chance: number,
  numbers: Counts,
  [top1, top5]: readonly [number, number],
): Network {
  const all = depths.reduce((sum, depth) => sum + depth, 0);
  const before = (s: number): number => depths.slice(0, s).reduce((sum, depth) => sum + depth, 0);
  // torchvision numbers the stages 1, 3, 5, 7; what halves the size stands between them.
  const rows = widths.map((width, s) =>
    stage(depths[s]!, (i) => block(width, (chance * (before(s) + i)) / (all - 1)), {
      name: (_, i) => `features.b${2 * s + 1}.b${i}`,
    }),
  );
  const halves = (s: number): Block =>
    chain({ b0: layerNorm({ epsilon }), b1: conv(widths[s]!, 2, { stride: 2, padding: "valid", init }) });
  return {
    name,
    ...imagenet,
    ...numbers,
    ...fromTorchvision(top1, top5),
    stages: depths.map((depth, s) => `features.b${2 * s + 1}.b${depth - 1}.add`),
    body: chain({
      features: chain({
        b0: chain({ b0: conv(widths[0]!, 4, { stride: 4, padding: "valid", init }), b1: layerNorm({ epsilon }) }), //   56 x 56
        b1: rows[0]!,
        b2: halves(1), //                                                                                                28 x 28
        b3: rows[1]!,
        b4: halves(2), //                                                                                                14 x 14
        b5: rows[2]!,
        b6: halves(3), //                                                                                                 7 x 7
        b7: rows[3]!,
      }),
    }),
    head: (options) =>
      chain({
        avgpool: globalAvgPool(),
        classifier: chain({
          b0: layerNorm({ epsilon }),
          ...dropped("dropout", options.dropout),
          b2: dense(options.classes, { activation: classActivation(options), init }),
        }),
      }),
  };
}

/** A 7x7 depthwise convolution, then a dense layer to four times the channels and one back, at each position: shape unchanged. */
function block(width: number, chance: number): Block {
  return (x, name) => {
    const main = chain({
      block: chain({
        b0: depthwiseConv(7, { padding: 3, init }),
        b2: layerNorm({ epsilon }),
        b3: dense(4 * width, { init }),
        b4: activation("gelu"),
        b5: dense(width, { init }),
      }),
      layer_scale: layerScale(1e-6),
      ...(chance > 0 ? { stochastic_depth: dropout(chance, { perSample: true }) } : {}),
    });
    return named(`${name}.add`, add({ main: () => main(x, name), shortcut: identity }))(x, name);
  };
}
