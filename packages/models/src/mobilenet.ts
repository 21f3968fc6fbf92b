import {
  activation,
  batchNorm,
  chain,
  classActivation,
  conv,
  depthwiseConv,
  dropout,
  globalAvgPool,
  relu6,
  reshape,
  signedPixels,
  zeroPad,
} from "@convkit/core";
import type { Block } from "@convkit/core";
import { fromKeras } from "./shared/sources.ts";
import type { Network } from "./shared/sources.ts";

const same = { padding: "same", bias: false } as const;

/** Filters and stride of the depthwise separable blocks: the paper's table 1. */
const table = [
  [64, 1], //    112 x 112
  [128, 2], //    56 x 56
  [128, 1],
  [256, 2], //    28 x 28
  [256, 1],
  [512, 2], //    14 x 14
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2], //    7 x 7
  [1024, 1],
] as const;

export const mobilenet: Network = {
  name: "mobilenet",
  paper:
    "Howard et al. 2017, MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications, https://arxiv.org/abs/1704.04861",
  input: [224, 224, 3],
  smallest: 32,
  classes: 1000,
  params: 4_253_864,
  trainable: 4_231_976,
  macs: 568_740_352,
  preprocessing: signedPixels,
  body: chain({
    conv1: conv(32, 3, { stride: 2, ...same }), //   112 x 112 x 32
    conv1_bn: batchNorm(),
    conv1_relu: relu6(),
    ...Object.assign({}, ...table.map(([filters, stride], i) => separable(i + 1, filters, stride))),
  }),
  head: (options) =>
    chain({
      global_average_pooling2d: globalAvgPool({ keepSize: true }),
      dropout: dropout(options.dropout ?? 1e-3),
      conv_preds: conv(options.classes, 1, { padding: "same" }),
      reshape_2: reshape([options.classes]),
      predictions: activation(classActivation(options)),
    }),
  ...fromKeras(70.4, 89.5, "Apache-2.0"),
};

function separable(i: number, filters: number, stride: number): Record<string, Block> {
  const pad: Record<string, Block> =
    stride === 1
      ? {}
      : {
          [`conv_pad_${i}`]: zeroPad([
            [0, 1],
            [0, 1],
          ]),
        };
  return {
    ...pad,
    [`conv_dw_${i}`]: depthwiseConv(3, { stride, padding: stride === 1 ? "same" : "valid", bias: false }),
    [`conv_dw_${i}_bn`]: batchNorm(),
    [`conv_dw_${i}_relu`]: relu6(),
    [`conv_pw_${i}`]: conv(filters, 1, same),
    [`conv_pw_${i}_bn`]: batchNorm(),
    [`conv_pw_${i}_relu`]: relu6(),
  };
}
