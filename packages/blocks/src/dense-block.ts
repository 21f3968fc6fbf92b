import { checkOptions } from "@convkit/errors";
import { avgPool, batchNorm, concat, conv, identity, named, ofKind, relu, sizeOf, stage } from "@convkit/core";
import type { BatchNormOptions, UnnamedBlock } from "@convkit/core";
import { checkFunctions, checkWhole } from "@convkit/core/internal";
import { dotted, steps } from "./naming.ts";
import type { Naming } from "./naming.ts";

export type DensePart = "norm1" | "relu1" | "conv1" | "norm2" | "relu2" | "conv2" | "concat";
export type TransitionPart = "norm" | "relu" | "conv" | "pool";

export interface DenseLayerOptions {
  /** Options of every norm; Keras' defaults if missing. */
  readonly norm?: BatchNormOptions | undefined;
  /** Names the parts; `<path>.<part>` by default. */
  readonly naming?: Naming<DensePart> | undefined;
}

export interface DenseBlockOptions extends DenseLayerOptions {
  /** The path of layer `i` (from 1) inside the block's path; `<path>.denselayer<i>` by default. */
  readonly layerName?: ((path: string, i: number) => string) | undefined;
}

export interface TransitionOptions {
  /** Options of the norm; Keras' defaults if missing. */
  readonly norm?: BatchNormOptions | undefined;
  /** Names the parts; `<path>.<part>` by default. */
  readonly naming?: Naming<TransitionPart> | undefined;
}

/**
 * Computes new features from all earlier ones and concatenates both: `[n, h, w, c] -> [n, h, w, c + growth]`. Huang et
 * al. 2016, https://arxiv.org/abs/1608.06993
 */
export function denseLayer(growth: number, options: DenseLayerOptions = {}): UnnamedBlock {
  checkWhole("denseLayer", "growth", growth, 1);
  checkOptions("denseLayer", options, { norm: true, naming: true });
  const { norm = {}, naming = dotted } = options;
  checkFunctions("denseLayer", { naming });
  const features = steps(naming, [
    ["norm1", batchNorm(norm)],
    ["relu1", relu()],
    ["conv1", conv(4 * growth, 1, { padding: "valid", bias: false })],
    ["norm2", batchNorm(norm)],
    ["relu2", relu()],
    ["conv2", conv(growth, 3, { padding: "same", bias: false })],
  ]);
  return ofKind("dense_layer", (x, name) =>
    named(naming(name, "concat"), concat({ old: identity, new: () => features(x, name) }))(x, name),
  );
}

/** `layers` dense layers: `[n, h, w, c] -> [n, h, w, c + layers * growth]`. */
export function denseBlock(layers: number, growth: number, options: DenseBlockOptions = {}): UnnamedBlock {
  checkOptions("denseBlock", options, { norm: true, naming: true, layerName: true });
  const { layerName = (path, i) => `${path}.denselayer${i}`, ...rest } = options;
  checkFunctions("denseBlock", { layerName });
  return ofKind(
    "dense_block",
    stage(layers, () => denseLayer(growth, rest), { name: (path, i) => layerName(path, i + 1) }),
  );
}

/** Halves the channels and the size: `[n, h, w, c] -> [n, h / 2, w / 2, c / 2]`. */
export function transition(options: TransitionOptions = {}): UnnamedBlock {
  checkOptions("transition", options, { norm: true, naming: true });
  const { norm = {}, naming = dotted } = options;
  checkFunctions("transition", { naming });
  return ofKind("transition", (x, name) =>
    steps(naming, [
      ["norm", batchNorm(norm)],
      ["relu", relu()],
      ["conv", conv(Math.floor((sizeOf(x)[2] as number) / 2), 1, { padding: "valid", bias: false })],
      ["pool", avgPool(2, 2, { padding: "valid" })],
    ])(x, name),
  );
}
