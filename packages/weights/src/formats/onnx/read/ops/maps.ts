import * as tfl from "@tensorflow/tfjs-layers";
import { channelsLast, plain } from "../arrange.ts";
import type { Builder } from "../builder.ts";
import type { OnnxNode } from "../node.ts";
import { newAxis, sizeOfAxis } from "../signal.ts";
import type { Axis, Signal } from "../signal.ts";
import { computed } from "../sizes.ts";
import type { Size } from "../sizes.ts";

/**
 * A signal as a map whose channels are last. A sequence, `[n, c, length]`, becomes a map of width 1, so that layers over
 * maps serve for both.
 */
export interface FeatureMap {
  readonly signal: Signal;
  /** True for a sequence. */
  readonly isLine: boolean;
  /** The sizes between batch and channels, without the width of a sequence. */
  readonly sizes: readonly Size[];
  readonly channels: Size;
}

export function mapOf(builder: Builder, node: OnnxNode, signal: Signal): FeatureMap {
  const rank = signal.axes.length;
  if (rank < 3 || rank > 5) return builder.refuse(node, `expected a sequence, a map or a volume, got ${rank} axes`);
  const isLine = rank === 3;
  const wide = isLine ? { ...signal, axes: [...signal.axes, []] } : signal;
  const turned = plain(builder, node, wide, channelsLast(wide.axes.length));
  return {
    signal: turned,
    isLine,
    sizes: signal.axes.slice(2).map((_, axis) => sizeOfAxis(turned.axes[axis + 2]!)),
    channels: sizeOfAxis(turned.axes[1]!),
  };
}

/** The result of a layer over a map: batch as before, these sizes and channels. */
export function mapResult(
  map: FeatureMap,
  tensor: tfl.SymbolicTensor,
  sizes: readonly Size[],
  channels?: Size,
): Signal {
  const [batch, own] = map.signal.axes as [Axis, Axis];
  const between = sizes.map((size, axis) => (size === map.sizes[axis] ? map.signal.axes[axis + 2]! : newAxis(size)));
  const last = channels === undefined ? own : newAxis(channels);
  const wide = map.isLine ? [...between, []] : between;
  return {
    ...map.signal,
    tensor,
    axes: [batch, last, ...between],
    physical: [batch, ...wide, last],
    isRaw: false,
    origin: undefined,
  };
}

/** A window's numbers for the layer: a sequence has a width of 1. */
export function both<T>(map: FeatureMap, values: readonly T[], one: T): T[] {
  return map.isLine ? [...values, one] : [...values];
}

/** Zeros around a map, as a layer before the one that needs them. */
export function zeroPadded(
  builder: Builder,
  node: OnnxNode,
  map: FeatureMap,
  pads: readonly (readonly [number, number])[],
): FeatureMap {
  if (pads.every(([before, after]) => before === 0 && after === 0)) return map;
  const sizes = map.sizes.map((size, axis) => computed("+", size, pads[axis]![0] + pads[axis]![1]));
  if (pads.some((side) => side.some((pad) => pad < 0)))
    return builder.refuse(node, "has negative pads, which are not known");
  const wide = both<readonly [number, number]>(map, pads, [0, 0]);
  if (wide.length === 2) {
    const padding = wide.map((side) => [...side]) as [[number, number], [number, number]];
    const [tensor] = builder.apply(node, tfl.layers.zeroPadding2d({ name: builder.layerName(node, ".pad"), padding }), [
      map.signal.tensor,
    ]);
    const signal = mapResult(map, tensor!, sizes);
    return { ...map, signal: map.isLine ? { ...signal, axes: [...signal.axes, []] } : signal, sizes };
  }
  const result = mapResult(map, map.signal.tensor, sizes);
  const widths = [[0, 0], ...wide, [0, 0]];
  const [signal] = builder.operation(node, "pad", { x: map.signal, pad_width: widths }, [result]);
  return { ...map, signal: signal as Signal, sizes };
}
