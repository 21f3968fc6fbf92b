import { checkOptions } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { explicitPads, pair } from "../../arithmetic/padding.ts";
import type { Padding, Pair } from "../../arithmetic/padding.ts";
import { layer, sizeOf } from "../../block/block.ts";
import { ofKind } from "../../block/names.ts";
import type { UnnamedBlock } from "../../block/names.ts";
import type { Pooled, ShapedBlock, Windowed } from "../../typed/shape-change.ts";
import { checkFlags, checkMap } from "../check-values.ts";
import { checkFit, checkWindow } from "../check-window.ts";
import { AdaptiveAveragePooling2D } from "./adaptive-average-pooling2d.ts";
import { GlobalAveragePooling2D } from "./global-average-pooling2d.ts";
import { PaddedPooling2D } from "./padded-pooling2d.ts";

export interface PoolOptions {
  /** No default, as for `conv`. Padding never wins a maximum. */
  readonly padding: Padding;
  /**
   * Rounds sizes up, so that the last window may extend past the edge (Caffe; PyTorch's `ceil_mode`); false by default.
   */
  readonly ceil?: boolean | undefined;
}

export interface AvgPoolOptions extends PoolOptions {
  /**
   * Includes padding given in numbers as zeros: true by default, as in PyTorch. `"same"` never includes it, as in
   * TensorFlow.
   */
  readonly countPadding?: boolean | undefined;
}

export interface GlobalPoolOptions {
  /** Keeps height and width as 1 and 1; false by default. */
  readonly keepSize?: boolean | undefined;
}

const poolNames: OptionNames<PoolOptions> = { padding: true, ceil: true };
const avgPoolNames: OptionNames<AvgPoolOptions> = { ...poolNames, countPadding: true };

/** What the compiler knows of a pool from its options. */
interface KnownPool<Pads extends Padding, Ceil extends boolean> {
  readonly padding: Pads;
  /** Rounds sizes up; false by default. */
  readonly ceil?: Ceil | undefined;
}

/** With `ceil`, the last window may extend past the edge, and the length is not worked out in types. */
type PoolChange<
  Name extends string,
  Size extends number | Pair,
  Stride extends number | Pair,
  Pads extends Padding,
  Ceil extends boolean,
> = Windowed<Name, unknown, Size, Stride, 1, Ceil extends false ? Pads : number>;

/** The maximum of each window: `[n, h, w, c] -> [n, h / stride, w / stride, c]`; the stride is the size where it is undefined, as in Keras. */
export function maxPool<
  const Size extends number | Pair,
  const Pads extends Padding,
  const Stride extends number | Pair = Size,
  const Ceil extends boolean = false,
>(
  size: Size,
  stride: Stride | undefined,
  options: PoolOptions & KnownPool<Pads, Ceil>,
): ShapedBlock<PoolChange<"maxPool", Size, Stride, Pads, Ceil>> {
  checkOptions("maxPool", options, poolNames);
  return pool("maxPool", "max", size, stride === undefined ? size : stride, options);
}

/** The mean of each window: `[n, h, w, c] -> [n, h / stride, w / stride, c]`; the stride is the size where it is undefined, as in Keras. */
export function avgPool<
  const Size extends number | Pair,
  const Pads extends Padding,
  const Stride extends number | Pair = Size,
  const Ceil extends boolean = false,
>(
  size: Size,
  stride: Stride | undefined,
  options: AvgPoolOptions & KnownPool<Pads, Ceil>,
): ShapedBlock<PoolChange<"avgPool", Size, Stride, Pads, Ceil>> {
  checkOptions("avgPool", options, avgPoolNames);
  return pool("avgPool", "average", size, stride === undefined ? size : stride, options);
}

/** The mean of each channel: `[n, h, w, c] -> [n, c]`, with `keepSize` `[n, 1, 1, c]`. Lin et al. 2013, https://arxiv.org/abs/1312.4400 */
export function globalAvgPool<const Keep extends boolean = false>(
  options: GlobalPoolOptions & {
    /** Keeps height and width as 1 and 1; false by default. */
    readonly keepSize?: Keep | undefined;
  } = {},
): ShapedBlock<Pooled<Keep>> {
  checkOptions("globalAvgPool", options, { keepSize: true });
  checkFlags("globalAvgPool", { keepSize: options.keepSize });
  return layer((name, x) => {
    checkMap(name, x);
    return options.keepSize === true
      ? new GlobalAveragePooling2D({ name, dataFormat: "channelsLast", keepdims: true })
      : tfjs.globalAveragePooling2d({ name, dataFormat: "channelsLast" });
  }, "global_average_pooling2d");
}

/** The maximum of each channel: `[n, h, w, c] -> [n, c]`. */
export function globalMaxPool(): ShapedBlock<Pooled<false>> {
  return layer((name, x) => {
    checkMap(name, x);
    return tfjs.globalMaxPooling2d({ name, dataFormat: "channelsLast" });
  }, "global_max_pooling2d");
}

/** Means of a fixed number of parts, whatever the input's size: `[n, h, w, c] -> [n, size, size, c]`, as in PyTorch. */
export function adaptiveAvgPool(size: number | Pair): UnnamedBlock {
  checkWindow("adaptiveAvgPool", { kernel: size, padding: "valid" });
  return layer((name, x) => {
    checkMap(name, x);
    return new AdaptiveAveragePooling2D({ name, outputSize: [...pair(size)] as [number, number] });
  }, "adaptive_average_pooling2d");
}

function pool(
  where: string,
  mode: "max" | "average",
  size: number | Pair,
  stride: number | Pair,
  options: AvgPoolOptions,
): UnnamedBlock {
  const { padding, ceil = false, countPadding = true } = options ?? {};
  checkWindow(where, { kernel: size, stride, padding });
  checkFlags(where, { ceil, countPadding });
  return ofKind(mode === "max" ? "max_pooling2d" : "average_pooling2d", (x, name) => {
    checkFit(name, sizeOf(x), { kernel: size, stride, padding, ceil });
    const args = {
      name,
      poolSize: [...pair(size)] as [number, number],
      strides: [...pair(stride)] as [number, number],
    };
    const stock = stockPoolPadding(padding, ceil);
    const made =
      stock === undefined
        ? new PaddedPooling2D({
            ...args,
            mode,
            padding: explicitPads(padding === "valid" ? 0 : (padding as Exclude<Padding, string>)),
            ceilMode: ceil,
            countIncludePad: countPadding,
          })
        : (mode === "max" ? tfjs.maxPooling2d : tfjs.averagePooling2d)({ ...args, padding: stock });
    return made.apply(x) as tfl.SymbolicTensor;
  });
}

/** The padding for tfjs-layers' own pool; undefined if only `PaddedPooling2D` supports it. */
function stockPoolPadding(padding: Padding, ceil: boolean): "same" | "valid" | undefined {
  if (padding === "same") return "same";
  if (ceil) return undefined;
  if (padding === "valid") return "valid";
  const pads = explicitPads(padding).flat();
  return pads.every((pad) => pad === 0) ? "valid" : undefined;
}
