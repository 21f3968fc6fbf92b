import { basicBlock, zeroShortcut } from "@convkit/blocks";
import { batchNorm, chain, conv, heNormal, relu, stage } from "@convkit/core";
import type { Block } from "@convkit/core";
import { torchHead } from "../shared/heads.ts";
import { counts, fromPaper } from "../shared/sources.ts";
import type { Counts, Network } from "../shared/sources.ts";

const cifar = {
  paper:
    "He, Zhang, Ren, Sun 2015, Deep Residual Learning for Image Recognition, section 4.2, https://arxiv.org/abs/1512.03385",
  input: [32, 32, 3],
  smallest: 1,
  classes: 10,
  preprocessing: { scale: 1 / 255, mean: [0.4914, 0.4822, 0.4465], std: [0.2471, 0.2435, 0.2616] },
  differs:
    "the paper subtracts the mean of each pixel; here, as is usual, the mean of each channel, then divides by its deviation",
} as const;

const norm = { epsilon: 1e-5, momentum: 0.9 };

// Weights, trainable weights, multiply-adds; error in percent.
export const resnet20Cifar10 = resnet(20, counts(271_098, 269_722, 40_551_040), 8.75);
export const resnet32Cifar10 = resnet(32, counts(466_426, 464_154, 68_862_592), 7.51);
export const resnet44Cifar10 = resnet(44, counts(661_754, 658_586, 97_174_144), 7.17);
export const resnet56Cifar10 = resnet(56, counts(857_082, 853_018, 125_485_696), 6.97);
export const resnet110Cifar10 = resnet(110, counts(1_736_058, 1_727_962, 252_887_680), 6.43);

/** 6n + 2 layers: three stages of n blocks; shortcuts without weights (option A). */
function resnet(depth: number, numbers: Counts, error: number): Network {
  const blocks = (filters: number, stride: number): Block =>
    stage((depth - 2) / 6, (i) =>
      basicBlock(filters, { stride: i === 0 ? stride : 1, padding: 1, norm, shortcut: zeroShortcut }),
    );
  return {
    name: `resnet${depth}-cifar10`,
    ...cifar,
    ...numbers,
    ...fromPaper(
      "100 less the error in table 6 of the paper, https://arxiv.org/abs/1512.03385",
      (10_000 - Math.round(100 * error)) / 100,
    ),
    body: chain({
      conv1: conv(16, 3, { padding: 1, bias: false, init: heNormal }), //   32 x 32 x 16
      bn1: batchNorm(norm),
      relu: relu(),
      layer1: blocks(16, 1), //                                             32 x 32 x 16
      layer2: blocks(32, 2), //                                             16 x 16 x 32
      layer3: blocks(64, 2), //                                              8 x 8 x 64
    }),
    head: torchHead,
  };
}
