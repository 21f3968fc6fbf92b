import {
  add,
  autoNamed,
  batchNorm,
  chain,
  conv,
  depthwiseConv,
  heNormalFanOut,
  identity,
  maxPool,
  named,
  relu,
  separableConv,
  signedPixels,
  stage,
} from "@convkit/core";
import type { AutoName, Block } from "@convkit/core";
import { averageHead, torchHead } from "./shared/heads.ts";
import { fromKeras, fromTimm } from "./shared/sources.ts";
import type { Network } from "./shared/sources.ts";

const bare = { bias: false } as const;
const same = { padding: "same", ...bare } as const;

const imagenet = {
  paper:
    "Chollet 2016, Xception: Deep Learning with Depthwise Separable Convolutions, https://arxiv.org/abs/1610.02357",
  input: [299, 299, 3],
  classes: 1000,
  params: 22_910_480,
  trainable: 22_855_952,
  macs: 8_357_403_496,
  preprocessing: signedPixels,
} as const;

export const xception: Network = {
  name: "xception",
  ...imagenet,
  smallest: 71,
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

const norm = { epsilon: 1e-5, momentum: 0.9 };
const fanOut = { bias: false, init: heNormalFanOut } as const;

export const xceptionTimm: Network = {
  name: "xception-timm",
  ...imagenet,
  smallest: 7,
  body: chain({
    conv1: conv(32, 3, { stride: 2, padding: "valid", ...fanOut }), //                 149 x 149 x 32
    bn1: batchNorm(norm),
    act1: relu(),
    conv2: conv(64, 3, { padding: "valid", ...fanOut }), //                            147 x 147 x 64
    bn2: batchNorm(norm),
    act2: relu(),
    block1: torchBlock([128, 128], { stride: 2, activateFirst: false }), //             74 x 74 x 128
    block2: torchBlock([256, 256], { stride: 2 }), //                                   37 x 37 x 256
    block3: torchBlock([728, 728], { stride: 2 }), //                                   19 x 19 x 728
    middle: stage(8, () => torchBlock([728, 728, 728]), { name: (_, i) => `block${i + 4}` }), //   19 x 19 x 728
    block12: torchBlock([728, 1024], { stride: 2 }), //                                 10 x 10 x 1024
    conv3: torchSeparable(1536),
    bn3: batchNorm(norm),
    act3: relu(),
    conv4: torchSeparable(2048),
    bn4: batchNorm(norm),
    act4: relu(), //                                                                    10 x 10 x 2048
  }),
  head: (options) => torchHead(options),
  ...fromTimm(),
  differs: "from Keras': pads both sides at stride 2, epsilon 1e-5",
};

/** A depthwise and a pointwise convolution as two layers, named as timm's `legacy_xception` names them. */
function torchSeparable(filters: number): Block {
  return chain({
    conv1: depthwiseConv(3, { padding: 1, ...fanOut }),
    pointwise: conv(filters, 1, { padding: "valid", ...fanOut }),
  });
}

/** ReLU, separable convolution, norm, for each number of filters; with a stride a maximum at the end. */
function torchBlock(
  filters: readonly number[],
  { stride = 1, activateFirst = true }: { readonly stride?: number; readonly activateFirst?: boolean } = {},
): Block {
  const rows = filters
    .flatMap((width) => [relu(), torchSeparable(width), batchNorm(norm)])
    .slice(activateFirst ? 0 : 1);
  const parts = stride === 1 ? rows : [...rows, maxPool(3, stride, { padding: 1 })];
  const main = chain(Object.fromEntries(parts.map((block, i) => [`rep.b${i}`, block])));
  const project = chain({
    skip: conv(filters.at(-1)!, 1, { stride, padding: "valid", ...fanOut }),
    skipbn: batchNorm(norm),
  });
  return (x, name) => {
    const shortcut = stride === 1 ? identity : project;
    return named(`${name}.add`, add({ main: () => main(x, name), shortcut: () => shortcut(x, name) }))(x, name);
  };
}
