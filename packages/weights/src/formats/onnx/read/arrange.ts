import * as tfl from "@tensorflow/tfjs-layers";
import { Reshape } from "../../../layers/joins.ts";
import type { Builder } from "./builder.ts";
import type { OnnxNode } from "./node.ts";
import { arrangement, newAxis, sameAxes, sameAxis, sizeOfAxis } from "./signal.ts";
import type { Axis, Signal } from "./signal.ts";
import { isKnownSize, sameSize } from "./sizes.ts";

/** The signal with these axes in its tensor. Adds the layers that this takes: a transpose, a reshape, or none. */
export function arranged(builder: Builder, node: OnnxNode, signal: Signal, want: readonly Axis[]): Signal {
  if (sameAxes(signal.physical, want)) return signal;
  const made = builder.arrangements.get(signal.tensor) ?? [];
  const known = made.find((other) => sameAxes(other.want, want) && sameAxes(other.from, signal.physical));
  if (known !== undefined) return { ...signal, tensor: known.tensor, physical: want };
  const { pieces, order } = arrangement(signal.physical, want);
  const parts = reshaped(builder, node, signal, pieces);
  const turned = transposed(builder, node, parts, order);
  const result = reshaped(builder, node, turned, want);
  builder.arrangements.set(signal.tensor, [...made, { from: signal.physical, want, tensor: result.tensor }]);
  return result;
}

function reshaped(builder: Builder, node: OnnxNode, signal: Signal, want: readonly Axis[]): Signal {
  const from = signal.physical;
  if (sameAxes(from, want)) return signal;
  const keepsBatch = from.length > 0 && want.length > 0 && sameAxis(from[0]!, want[0]!);
  const sizes = want.map(sizeOfAxis);
  const unknown = sizes.slice(1).filter((size) => !isKnownSize(size));
  if (keepsBatch && unknown.length <= 1) {
    const name = builder.layerName(node, ".reshape");
    const layer =
      want.length === 2 && from.length > 2
        ? tfl.layers.flatten({ name })
        : new Reshape({ name, targetShape: sizes.slice(1).map((size) => (isKnownSize(size) ? size : null)) });
    const [tensor] = builder.apply(node, layer, [signal.tensor]);
    return { ...signal, tensor: tensor!, physical: want };
  }
  return reshapedByAxes(builder, node, signal, want);
}

/** A reshape in which some sizes are those of axes of its input, and one may be inferred. */
function reshapedByAxes(builder: Builder, node: OnnxNode, signal: Signal, want: readonly Axis[]): Signal {
  let inferred = 0;
  const sizes = want.map((axis) => {
    const size = sizeOfAxis(axis);
    if (isKnownSize(size)) return size;
    const own = signal.physical.findIndex((other) => sameSize(sizeOfAxis(other), size));
    if (own !== -1) return { axis: own };
    inferred += 1;
    return -1;
  });
  if (inferred > 1)
    builder.refuse(
      node,
      "its shape has several sizes that only the run knows: export the file with fixed sizes of images",
    );
  const plain = { ...signal, axes: want, physical: want };
  const [result] = builder.operation(node, "reshapelike", { x: signal, sizes }, [plain], signal.isRaw);
  return { ...signal, tensor: (result as Signal).tensor, physical: want };
}

function transposed(builder: Builder, node: OnnxNode, signal: Signal, order: readonly number[]): Signal {
  if (order.every((axis, place) => axis === place)) return signal;
  const physical = order.map((axis) => signal.physical[axis]!);
  if (order[0] === 0) {
    const layer = tfl.layers.permute({ name: builder.layerName(node, ".permute"), dims: order.slice(1) });
    const [tensor] = builder.apply(node, layer, [signal.tensor]);
    return { ...signal, tensor: tensor!, physical };
  }
  const [result] = builder.operation(
    node,
    "transpose",
    { x: signal, axes: order },
    [{ ...signal, physical }],
    signal.isRaw,
  );
  return { ...signal, tensor: (result as Signal).tensor, physical };
}

/**
 * The signal with one axis of its tensor for each of ONNX' axes, in this order. Each axis of the result is one atom.
 */
export function plain(builder: Builder, node: OnnxNode, signal: Signal, order: readonly number[]): Signal {
  const want = order.map((axis) => signal.axes[axis]!);
  const result = arranged(builder, node, signal, want);
  const axes = result.axes.map((axis) => (axis.length > 1 ? newAxis(sizeOfAxis(axis)) : axis));
  return { ...result, axes, physical: order.map((axis) => axes[axis]!) };
}

/** ONNX' axes in the tensor's order, if the tensor has one axis for each. */
export function orderOf({ axes, physical }: Signal): number[] | undefined {
  if (axes.length !== physical.length) return undefined;
  const left = new Set(axes.keys());
  const order = physical.map((axis) => {
    const found = [...left].find((index) => sameAxis(axes[index]!, axis));
    if (found !== undefined) left.delete(found);
    return found ?? -1;
  });
  return order.includes(-1) ? undefined : order;
}

/**
 * The order of ONNX' axes that keeps the tensor most as it is: that of their first atoms. Axes of size 1 stand beside their
 * neighbors.
 */
export function naturalOrder(signal: Signal): number[] {
  const found = orderOf(signal);
  if (found !== undefined) return found;
  const { axes, physical } = signal;
  const flat = physical.flat();
  const places = axes.map((axis) =>
    axis.length === 0 ? undefined : Math.min(...axis.map((atom) => flat.indexOf(atom))),
  );
  const rank = axes.length;
  const last = channelsLast(rank);
  const isLast = last.every((axis, index) =>
    last.slice(index + 1).every((other) => (places[axis] ?? -1) < (places[other] ?? flat.length)),
  );
  if (rank >= 3 && rank <= 5 && isLast) return last;
  return range(0, rank).toSorted((a, b) => (places[a] ?? a) - (places[b] ?? b));
}

/** The order of channels last: `[n, c, h, w] -> [n, h, w, c]`. */
export function channelsLast(rank: number): number[] {
  return rank < 3 ? Array.from({ length: rank }, (_, axis) => axis) : [0, ...range(2, rank), 1];
}

export function range(start: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, index) => start + index);
}
