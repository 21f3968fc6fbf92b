import { invertedResidual, squeezeExcite } from "@convkit/blocks";
import { add, batchNorm, chain, conv, dropout, heNormalFanOut, identity, named, sizeOf } from "@convkit/core";
import type { BatchNormOptions, Block } from "@convkit/core";
import { torchInverted, torchSqueeze } from "../shared/torch-inverted.ts";
import { swish } from "./rows.ts";

interface MbRow {
  readonly kernel: number;
  readonly expansion: number;
  readonly filters: number;
  readonly stride: number;
}

interface MbOptions {
  /** Probability that training skips the block. */
  readonly chance: number;
  readonly norm: BatchNormOptions;
}

/** An inverted residual with squeeze-and-excitation, named as in torchvision: `[n, h, w, c] -> [n, h / stride, w / stride, filters]`. */
export function mbConv({ kernel, expansion, filters, stride }: MbRow, { chance, norm }: MbOptions): Block {
  return (x, name) => {
    const reduced = Math.max(1, Math.floor((sizeOf(x)[2] as number) / 4));
    return invertedResidual(filters, {
      stride,
      expansion,
      kernel,
      padding: (kernel - 1) / 2,
      norm,
      init: heNormalFanOut,
      activation: swish,
      excite: squeezeExcite(reduced, { activation: "swish", init: heNormalFanOut, naming: torchSqueeze }),
      drop: skipped(chance),
      naming: torchInverted({ expands: expansion !== 1, excites: true }),
    })(x, name);
  };
}

/**
 * EfficientNetV2's block of large maps: one convolution takes the place of the expansion and the depthwise convolution.
 * `[n, h, w, c] -> [n, h / stride, w / stride, filters]`
 */
export function fusedMbConv({ kernel, expansion, filters, stride }: MbRow, { chance, norm }: MbOptions): Block {
  return (x, name) => {
    const channels = sizeOf(x)[2] as number;
    const project = chain({
      b0: conv(filters, 1, { padding: "valid", bias: false, init: heNormalFanOut }),
      b1: batchNorm(norm),
    });
    const block =
      expansion === 1
        ? chain({ b0: unit(filters, { kernel, stride, norm }) })
        : chain({ b0: unit(expansion * channels, { kernel, stride, norm }), b1: project });
    const drop = skipped(chance);
    const main = chain({ block, ...(drop === undefined ? {} : { stochastic_depth: drop }) });
    if (stride !== 1 || channels !== filters) return chain({ block })(x, name);
    return named(`${name}.add`, add({ main: () => main(x, name), shortcut: identity }))(x, name);
  };
}

function skipped(chance: number): Block | undefined {
  return chance > 0 ? dropout(chance, { perSample: true }) : undefined;
}

interface UnitOptions {
  /** 1 by default. */
  readonly kernel?: number;
  readonly stride?: number;
  readonly norm: BatchNormOptions;
}

/** A convolution with norm and swish. */
export function unit(filters: number, { kernel = 1, stride = 1, norm }: UnitOptions): Block {
  return chain({
    b0: conv(filters, kernel, { stride, padding: (kernel - 1) / 2, bias: false, init: heNormalFanOut }),
    b1: batchNorm(norm),
    b2: swish(),
  });
}
