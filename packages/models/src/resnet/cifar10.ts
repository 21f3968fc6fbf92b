import { basicBlock, zeroShortcut } from "@convkit/blocks";
import { batchNorm, chain, conv, heNormal, relu } from "@convkit/core";
import type { Architecture, Block } from "@convkit/core";
import { torchHead } from "../shared/heads.ts";

const cifar = {
  paper:
    "He, Zhang, Ren, Sun 2015, Deep Residual Learning for Image Recognition, section 4.2, https://arxiv.org/abs/1512.03385",
  input: [32, 32, 3],
  smallest: 1,
  classes: 10,
  preprocessing: { scale: 1 / 255, mean: [0.4914, 0.4822, 0.4465], std: [0.2471, 0.2435, 0.2616] },
  differs:
    "the paper subtracts the mean of each pixel; here, as is usual, that of each channel, and divides by its deviation",
} as const;

export const resnet20Cifar10 = resnet(20, { params: 271_098, trainable: 269_722, macs: 40_551_040, error: 8.75 });
export const resnet32Cifar10 = resnet(32, { params: 466_426, trainable: 464_154, macs: 68_862_592, error: 7.51 });
export const resnet44Cifar10 = resnet(44, { params: 661_754, trainable: 658_586, macs: 97_174_144, error: 7.17 });
export const resnet56Cifar10 = resnet(56, { params: 857_082, trainable: 853_018, macs: 125_485_696, error: 6.97 });
export const resnet110Cifar10 = resnet(110, {
  params: 1_736_058,
  trainable: 1_727_962,
  macs: 252_887_680,
  error: 6.43,
});

/** 6n + 2 layers: three stages of n blocks; shortcuts without weights (option A). */
function resnet(
  depth: number,
  { error, ...numbers }: { params: number; trainable: number; macs: number; error: number },
): Architecture {
  const norm = { epsilon: 1e-5, momentum: 0.9 };
  const layer = (filters: number, stride: number): Block =>
    chain(
      Object.fromEntries(
        Array.from({ length: (depth - 2) / 6 }, (_, i) => [
          `b${i}`,
          basicBlock(filters, { stride: i === 0 ? stride : 1, padding: 1, norm, shortcut: zeroShortcut }),
        ]),
      ),
    );
  return {
    name: `resnet${depth}-cifar10`,
    ...cifar,
    ...numbers,
    body: chain({
      conv1: conv(16, 3, { padding: 1, bias: false, init: heNormal }), //   32 x 32 x 16
      bn1: batchNorm(norm),
      relu: relu(),
      layer1: layer(16, 1), //                                              32 x 32 x 16
      layer2: layer(32, 2), //                                              16 x 16 x 32
      layer3: layer(64, 2), //                                               8 x 8 x 64
    }),
    head: torchHead,
    published: { top1: (10_000 - Math.round(100 * error)) / 100, source: "100 less the error in table 6 of the paper" },
  };
}
