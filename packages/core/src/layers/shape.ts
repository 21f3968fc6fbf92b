import * as tfl from "@tensorflow/tfjs-layers";
import { layer } from "../block/block.ts";
import type { Block } from "../block/block.ts";
import type { ActivationName } from "./convolution/convolution.ts";
import { glorotUniform, initializer, zeros } from "../init/initializers.ts";
import type { Init } from "../init/initializers.ts";
import { explicitPads } from "../arithmetic/padding.ts";
import type { Padding } from "../arithmetic/padding.ts";

export interface DenseOptions {
  activation?: ActivationName;
  bias?: boolean;
  init?: Init;
  biasInit?: Init;
}

/** Every input to every unit: `[n, c] -> [n, units]`. */
export function dense(
  units: number,
  { activation = "linear", bias = true, init = glorotUniform, biasInit = zeros }: DenseOptions = {},
): Block {
  return layer((name) =>
    tfl.layers.dense({
      name,
      units,
      activation,
      useBias: bias,
      kernelInitializer: initializer(init, `${name}/kernel`),
      biasInitializer: initializer(biasInit, `${name}/bias`),
    }),
  );
}

/** A function of each element: shape unchanged. */
export function activation(kind: ActivationName): Block {
  return layer((name) => tfl.layers.activation({ name, activation: kind }));
}

/** `max(0, x)`. */
export function relu(): Block {
  return activation("relu");
}

/** `min(max(0, x), 6)`, as a layer of class ReLU. Howard et al. 2017, https://arxiv.org/abs/1704.04861 */
export function relu6(): Block {
  return layer((name) => tfl.layers.reLU({ name, maxValue: 6 }));
}

/** `[n, h, w, c] -> [n, h * w * c]`, channels fastest. */
export function flatten(): Block {
  return layer((name) => tfl.layers.flatten({ name }));
}

/** `[n, ...] -> [n, ...shape]`. */
export function reshape(shape: readonly number[]): Block {
  return layer((name) => tfl.layers.reshape({ name, targetShape: [...shape] }));
}

/** Zeros around a feature map: `[n, h, w, c] -> [n, h + top + bottom, w + left + right, c]`. */
export function zeroPad(padding: Exclude<Padding, string>): Block {
  const pads = explicitPads(padding) as [[number, number], [number, number]];
  return layer((name) => tfl.layers.zeroPadding2d({ name, padding: pads }));
}

/** Cuts rows and columns off: `[n, h, w, c] -> [n, h - top - bottom, w - left - right, c]`. */
export function crop(padding: Exclude<Padding, string>): Block {
  const pads = explicitPads(padding) as [[number, number], [number, number]];
  return layer((name) => tfl.layers.cropping2D({ name, cropping: pads }));
}

/** `x * scale + offset`. */
export function rescale(scale: number, offset = 0): Block {
  return layer((name) => tfl.layers.rescaling({ name, scale, offset }));
}
