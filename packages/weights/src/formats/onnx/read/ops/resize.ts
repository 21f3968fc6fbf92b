import * as tfl from "@tensorflow/tfjs-layers";
import { ResizedTo, ScaledUp2D } from "../../../../layers/resize.ts";
import type { Builder } from "../builder.ts";
import type { OnnxNode } from "../node.ts";
import type { Signal } from "../signal.ts";
import { computed, isKnownSize } from "../sizes.ts";
import type { Size } from "../sizes.ts";
import { both, mapOf, mapResult } from "./maps.ts";
import type { FeatureMap } from "./maps.ts";
import type { Read } from "./read.ts";
import { sizesOf } from "./shape-of.ts";

/** How an output pixel finds its place in the input, and what it takes from there. */
interface Sampling {
  readonly mode: string;
  readonly coordinates: string;
  readonly rounding: string;
  readonly cubic: number;
  readonly excludesOutside: boolean;
  readonly smooths: boolean;
}

interface Target {
  readonly sizes: readonly Size[];
  /** The factor of each axis, as the file states it or as the sizes give it; undefined where only the run knows. */
  readonly scales: readonly (number | undefined)[];
}

function resized(builder: Builder, node: OnnxNode, given: Signal, { sizes, scales }: Target, how: Sampling): Signal {
  const map = mapOf(builder, node, given);
  const odd = sizes.find((size) => isKnownSize(size) && !(Number.isInteger(size) && size >= 1 && size <= 2 ** 16));
  if (odd !== undefined) return builder.refuse(node, `expected sizes from 1 to 65536, got ${String(odd)}`);
  const whole = scales.every((scale) => scale !== undefined && Number.isInteger(scale));
  const isMap = map.signal.physical.length === 4 && !map.isLine;
  const name = builder.layerName(node);
  const finish = (tensor: tfl.SymbolicTensor): Signal => ({ ...mapResult(map, tensor, sizes), isRaw: given.isRaw });
  const apply = (layer: tfl.layers.Layer): Signal => finish(builder.apply(node, layer, [map.signal.tensor])[0]!);
  const isHalf =
    how.coordinates === "half_pixel" || (how.coordinates === "pytorch_half_pixel" && sizes.every((size) => size !== 1));
  const repeats =
    (how.coordinates === "asymmetric" && how.rounding === "floor") ||
    (isHalf && how.rounding !== "ceil" && how.rounding !== "floor");
  if (isMap && how.mode === "nearest" && whole && repeats)
    return apply(tfl.layers.upSampling2d({ name, size: scales as [number, number] }));
  if (
    isMap &&
    how.mode === "linear" &&
    isHalf &&
    !how.smooths &&
    map.sizes.every(isKnownSize) &&
    sizes.every(isKnownSize)
  ) {
    const [height, width] = sizes as [number, number];
    const isExact = map.sizes.every(
      (size, axis) => Math.abs((size as number) * (scales[axis] ?? 1) - (sizes[axis] as number)) < 1e-4,
    );
    if (isExact && whole)
      return apply(new ScaledUp2D({ name, size: scales as [number, number], interpolation: "bilinear" }));
    if (isExact) return apply(new ResizedTo({ name, height, width, interpolation: "bilinear" }));
  }
  const known = sizes.every(isKnownSize);
  const args = {
    x: map.signal,
    ...(known ? { sizes: both(map, sizes, 1) } : {}),
    ...(scales.every((scale) => scale !== undefined) ? { scales: both(map, scales, 1) } : {}),
    mode: how.mode,
    coordinates: how.coordinates,
    rounding: how.rounding,
    cubic: how.cubic,
    excludes_outside: how.excludesOutside,
    ...(how.smooths ? { antialias: true } : {}),
  };
  if (!known && scales.includes(undefined))
    return builder.refuse(node, "resizes to sizes that only the run knows: export the file with fixed sizes of images");
  return builder.operation(
    node,
    "interpolate",
    args,
    [mapResult(map, map.signal.tensor, sizes)],
    given.isRaw,
  )[0] as Signal;
}

/** The target from sizes or scales of all axes, or of the axes that the node names. */
function targetOf(
  builder: Builder,
  node: OnnxNode,
  map: FeatureMap,
  scales: ArrayLike<number> | undefined,
  sizes: readonly Size[] | undefined,
): Target {
  const rank = map.sizes.length + 2;
  const axes =
    builder.ints(node, "axes")?.map((axis) => builder.axis(node, axis, rank)) ??
    Array.from({ length: rank }, (_, axis) => axis);
  const pick = <T>(list: ArrayLike<T>, axis: number): T | undefined =>
    axes.includes(axis) ? list[axes.indexOf(axis)] : undefined;
  const count = (scales ?? sizes)?.length;
  if (count !== axes.length)
    return builder.refuse(node, `expected sizes or scales of ${axes.length} axes, got ${count ?? "none"}`);
  if (scales !== undefined) {
    const all = Array.from({ length: rank }, (_, axis) => pick(scales, axis) ?? 1);
    if (all[0] !== 1 || all[1] !== 1) return builder.refuse(node, "resizes the channels or the batch");
    if (!all.every((scale) => scale > 0 && scale < 2 ** 16))
      return builder.refuse(node, `expected scales above 0, got [${all.join(", ")}]`);
    const own = all.slice(2);
    return {
      scales: own,
      sizes: map.sizes.map((size, axis) =>
        isKnownSize(size)
          ? Math.floor(size * own[axis]! + 1e-6)
          : Number.isInteger(own[axis])
            ? computed("*", size, own[axis]!)
            : computed("+", computed("*", size, 1), 0),
      ),
    };
  }
  const { sizes: own, ratio } = proportional(
    builder,
    node,
    map.sizes,
    map.sizes.map((_, axis) => pick(sizes!, axis + 2)),
  );
  return {
    sizes: own,
    scales: own.map((size, axis) =>
      ratio !== undefined && pick(sizes!, axis + 2) !== undefined
        ? ratio
        : isKnownSize(size) && isKnownSize(map.sizes[axis]!)
          ? size / map.sizes[axis]!
          : ratioOf(size, map.sizes[axis]!),
    ),
  };
}

/** The sizes of an image whose proportions the node may keep, within the given sizes or around them. */
function proportional(
  builder: Builder,
  node: OnnxNode,
  from: readonly Size[],
  given: readonly (Size | undefined)[],
): { readonly sizes: Size[]; readonly ratio?: number } {
  const policy = builder.word(node, "keep_aspect_ratio_policy", "stretch");
  if (policy === "stretch") return { sizes: from.map((size, axis) => given[axis] ?? size) };
  if (policy !== "not_larger" && policy !== "not_smaller")
    return builder.refuse(node, `keeps the proportions by "${policy}", which is not known`);
  const ratios = given.flatMap((size, axis) => {
    const own = from[axis]!;
    if (size === undefined) return [];
    return isKnownSize(size) && isKnownSize(own)
      ? [size / own]
      : builder.refuse(node, "keeps the proportions of sizes that only the run knows");
  });
  const ratio = policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
  return {
    sizes: from.map((size, axis) => (given[axis] === undefined ? size : Math.floor((size as number) * ratio + 0.5))),
    ratio,
  };
}

function ratioOf(size: Size, from: Size): number | undefined {
  if (isKnownSize(size) || isKnownSize(from) || String(size.names) !== String(from.names)) return undefined;
  return size.factor / from.factor;
}

export const resizes: Readonly<Record<string, Read>> = {
  Resize: (builder, node) => {
    const x = builder.signal(node);
    const isOld = builder.onnx.opset < 11;
    const scales = builder.optionalConstant(node, isOld ? 1 : 2);
    const hasScales = scales !== undefined && scales.shape[0] !== 0;
    const map = mapOf(builder, node, x);
    const target = targetOf(
      builder,
      node,
      map,
      hasScales ? scales.read() : undefined,
      hasScales || isOld ? undefined : sizesOf(builder, node, 3),
    );
    const coordinates = builder.word(node, "coordinate_transformation_mode", isOld ? "asymmetric" : "half_pixel");
    if (
      !["half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric"].includes(coordinates)
    )
      return builder.refuse(node, `places pixels by "${coordinates}", which is not known`);
    const mode = builder.word(node, "mode", "nearest");
    if (!["nearest", "linear", "cubic"].includes(mode))
      return builder.refuse(node, `interpolates by "${mode}", which is not known`);
    return resized(builder, node, x, target, {
      mode,
      coordinates,
      rounding: builder.word(node, "nearest_mode", isOld ? "floor" : "round_prefer_floor"),
      cubic: builder.number(node, "cubic_coeff_a", -0.75),
      excludesOutside: builder.number(node, "exclude_outside", 0) === 1,
      smooths:
        mode !== "nearest" &&
        builder.number(node, "antialias", 0) === 1 &&
        target.scales.some((scale) => (scale ?? 0) < 1),
    });
  },
  Upsample: (builder, node) => {
    const x = builder.signal(node);
    const scales = builder.optionalConstant(node, 1)?.read() ?? (node.attributes["scales"] as number[] | undefined);
    const target = targetOf(builder, node, mapOf(builder, node, x), scales, undefined);
    const mode = builder.word(node, "mode", "nearest");
    return resized(builder, node, x, target, {
      mode,
      coordinates: "asymmetric",
      rounding: "floor",
      cubic: -0.75,
      excludesOutside: false,
      smooths: false,
    });
  },
};
