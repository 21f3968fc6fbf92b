import { avgPool, batchNorm, concat, conv, identity, named, relu, sizeOf } from "@convkit/core";
import type { BatchNormOptions, Block } from "@convkit/core";
import { dotted, steps } from "./naming.ts";
import type { Naming } from "./naming.ts";

export type DensePart = "norm1" | "relu1" | "conv1" | "norm2" | "relu2" | "conv2" | "concat";
export type TransitionPart = "norm" | "relu" | "conv" | "pool";

/**
 * New features from all that came before, put beside them: `[n, h, w, c] -> [n, h, w, c + growth]`.
 * Huang et al. 2016, https://arxiv.org/abs/1608.06993
 */
export function denseLayer(
  growth: number,
  { norm = {}, naming = dotted }: { norm?: BatchNormOptions; naming?: Naming<DensePart> } = {},
): Block {
  const features = steps(naming, [
    ["norm1", batchNorm(norm)],
    ["relu1", relu()],
    ["conv1", conv(4 * growth, 1, { padding: "valid", bias: false })],
    ["norm2", batchNorm(norm)],
    ["relu2", relu()],
    ["conv2", conv(growth, 3, { padding: "same", bias: false })],
  ]);
  return (x, name) => named(naming(name, "concat"), concat({ old: identity, new: () => features(x, name) }))(x, name);
}

/** `layers` dense layers: `[n, h, w, c] -> [n, h, w, c + layers * growth]`; `layerName` names each, counted from 1. */
export function denseBlock(
  layers: number,
  growth: number,
  options: {
    norm?: BatchNormOptions;
    naming?: Naming<DensePart>;
    layerName?: (name: string, i: number) => string;
  } = {},
): Block {
  const { layerName = (name: string, i: number) => `${name}.denselayer${i}`, ...rest } = options;
  const one = denseLayer(growth, rest);
  return (x, name) => Array.from({ length: layers }, (_, i) => layerName(name, i + 1)).reduce((y, at) => one(y, at), x);
}

/** Half the channels at half the size: `[n, h, w, c] -> [n, h / 2, w / 2, c / 2]`. */
export function transition({
  norm = {},
  naming = dotted,
}: { norm?: BatchNormOptions; naming?: Naming<TransitionPart> } = {}): Block {
  return (x, name) =>
    steps(naming, [
      ["norm", batchNorm(norm)],
      ["relu", relu()],
      ["conv", conv(Math.floor((sizeOf(x)[2] as number) / 2), 1, { padding: "valid", bias: false })],
      ["pool", avgPool(2, 2, { padding: "valid" })],
    ])(x, name);
}
