import * as tfl from "@tensorflow/tfjs-layers";
import { AdaptiveAveragePooling2D } from "./adaptive-average-pooling2d.ts";
import { layer, sizeOf } from "../../block/block.ts";
import type { Block } from "../../block/block.ts";
import { fitting } from "../convolution/convolution.ts";
import { GlobalAveragePooling2D } from "./global-average-pooling2d.ts";
import { PaddedPooling2D } from "./padded-pooling2d.ts";
import { explicitPads, pair } from "../../arithmetic/padding.ts";
import type { Padding, Pair } from "../../arithmetic/padding.ts";

export interface PoolOptions {
  /** Never implied, as for `conv`. Padding never wins a maximum. */
  padding: Padding;
  /** Round sizes up: the last window may hang over the edge (Caffe; PyTorch's `ceil_mode`). */
  ceil?: boolean;
}

/** The largest of each window: `[n, h, w, c] -> [n, h / stride, w / stride, c]`. */
export function maxPool(size: number | Pair, stride: number | Pair, options: PoolOptions): Block {
  return pool("max", size, stride, options);
}

/**
 * The mean of each window: `[n, h, w, c] -> [n, h / stride, w / stride, c]`. Padding given in numbers is counted as zeros
 * (PyTorch) unless `countPadding` is false; `"same"` never counts it (TensorFlow).
 */
export function avgPool(
  size: number | Pair,
  stride: number | Pair,
  options: PoolOptions & { countPadding?: boolean },
): Block {
  return pool("average", size, stride, options);
}

/** The mean of each channel: `[n, h, w, c] -> [n, c]`, with `keepSize` `[n, 1, 1, c]`. Lin et al. 2013, https://arxiv.org/abs/1312.4400 */
export function globalAvgPool({ keepSize = false }: { keepSize?: boolean } = {}): Block {
  return layer((name) =>
    keepSize
      ? new GlobalAveragePooling2D({ name, dataFormat: "channelsLast", keepdims: true })
      : tfl.layers.globalAveragePooling2d({ name, dataFormat: "channelsLast" }),
  );
}

/** The largest of each channel: `[n, h, w, c] -> [n, c]`. */
export function globalMaxPool(): Block {
  return layer((name) => tfl.layers.globalMaxPooling2d({ name, dataFormat: "channelsLast" }));
}

/** Means of a fixed number of parts, whatever the input's size: `[n, h, w, c] -> [n, size, size, c]`, as PyTorch's. */
export function adaptiveAvgPool(size: number | Pair): Block {
  return layer((name) => new AdaptiveAveragePooling2D({ name, outputSize: [...pair(size)] as [number, number] }));
}

function pool(
  mode: "max" | "average",
  size: number | Pair,
  stride: number | Pair,
  { padding, ceil = false, countPadding = true }: PoolOptions & { countPadding?: boolean },
): Block {
  return (x, name) => {
    fitting(name, sizeOf(x), { kernel: size, stride, padding, ceil });
    const poolSize = [...pair(size)] as [number, number];
    const strides = [...pair(stride)] as [number, number];
    const make = (): tfl.layers.Layer => {
      const stock = stockPoolPadding(padding, ceil);
      if (stock === undefined) {
        const pads = padding === "valid" ? explicitPads(0) : explicitPads(padding as Exclude<Padding, string>);
        const ceilMode = ceil;
        return new PaddedPooling2D({
          name,
          mode,
          poolSize,
          strides,
          padding: pads,
          ceilMode,
          countIncludePad: countPadding,
        });
      }
      const args = { name, poolSize, strides, padding: stock };
      return mode === "max" ? tfl.layers.maxPooling2d(args) : tfl.layers.averagePooling2d(args);
    };
    return make().apply(x) as tfl.SymbolicTensor;
  };
}

function stockPoolPadding(padding: Padding, ceil: boolean): "same" | "valid" | undefined {
  if (padding === "same") return "same";
  if (ceil) return undefined;
  if (padding === "valid") return "valid";
  return explicitPads(padding)
    .flat()
    .every((pad) => pad === 0)
    ? "valid"
    : undefined;
}
