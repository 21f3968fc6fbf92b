import {
  add,
  autoNamed,
  batchNorm,
  chain,
  conv,
  identity,
  maxPool,
  named,
  relu,
  separableConv,
  signedPixels,
  stage,
} from "@convkit/core";
import type { AutoName, Block } from "@convkit/core";
import { averageHead } from "./shared/heads.ts";
import { fromKeras } from "./shared/sources.ts";
import type { Network } from "./shared/sources.ts";

const bare = { bias: false } as const;
const same = { padding: "same", ...bare } as const;

export const xception: Network = {
  name: "xception",
  paper:
    "Chollet 2016, Xception: Deep Learning with Depthwise Separable Convolutions, https://arxiv.org/abs/1610.02357",
  input: [299, 299, 3],
  smallest: 71,
  classes: 1000,
  params: 22_910_480,
  trainable: 22_855_952,
  macs: 8_357_403_496,
  preprocessing: signedPixels,
  body: autoNamed((auto) =>
    chain({
      block1_conv1: conv(32, 3, { stride: 2, padding: "valid", ...bare }), //   149 x 149 x 32
      block1_conv1_bn: batchNorm(),
      block1_conv1_act: relu(),
      block1_conv2: conv(64, 3, { padding: "valid", ...bare }), //              147 x 147 x 64
      block1_conv2_bn: batchNorm(),
      block1_conv2_act: relu(),
      block2: strided(auto, [128, 128], { activateFirst: false }), //            74 x 74 x 128
      block3: strided(auto, [256, 256]), //                                      37 x 37 x 256
      block4: strided(auto, [728, 728]), //                                      19 x 19 x 728
      middle: stage(8, () => plain(auto), { name: (_, i) => `block${i + 5}` }), //   19 x 19 x 728
      block13: strided(auto, [728, 1024]), //                                    10 x 10 x 1024
      block14_sepconv1: separableConv(1536, 3, same),
      block14_sepconv1_bn: batchNorm(),
      block14_sepconv1_act: relu(),
      block14_sepconv2: separableConv(2048, 3, same),
      block14_sepconv2_bn: batchNorm(),
      block14_sepconv2_act: relu(), //                                           10 x 10 x 2048
    }),
  ),
  head: averageHead,
  ...fromKeras(79.0, 94.5, "MIT"),
};

/** ReLU, separable convolution, norm: for each number of filters. */
function separables(filters: readonly number[], { activateFirst = true }: { activateFirst?: boolean } = {}): Block {
  const rows = filters.flatMap((width, i): [string, Block][] => [
    ...(i > 0 || activateFirst ? ([[`sepconv${i + 1}_act`, relu()]] as [string, Block][]) : []),
    [`sepconv${i + 1}`, separableConv(width, 3, same)],
    [`sepconv${i + 1}_bn`, batchNorm()],
  ]);
  return chain(Object.fromEntries(rows), { join: "_" });
}

function strided(auto: AutoName, filters: readonly [number, number], options: { activateFirst?: boolean } = {}): Block {
  const shortcut = chain({
    conv: auto("conv2d", conv(filters[1], 1, { stride: 2, ...same })),
    bn: auto("batch_normalization", batchNorm()),
  });
  return (x, name) => {
    const side = shortcut(x, name);
    const main = maxPool(3, 2, { padding: "same" })(separables(filters, options)(x, name), `${name}_pool`);
    return auto("add", add({ main: () => main, shortcut: () => side }))(x, name);
  };
}

function plain(auto: AutoName): Block {
  return (x, name) => auto("add", add({ main: named(name, separables([728, 728, 728])), shortcut: identity }))(x, name);
}
