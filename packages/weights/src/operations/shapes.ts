import { OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { along, repeated } from "./along.ts";
import { padded } from "./padding.ts";
import { einsum } from "./einsum.ts";
import { isObject } from "../bytes/json.ts";
import type { Operations } from "./operation.ts";
import { channelsLast, fromFront } from "./values.ts";

/** Functions that move elements without changing them. */
export const shapes: Operations = {
  reshape: ["x newshape", (v) => tf.reshape(v.tensor("x"), v.numbers("newshape")!)],
  // A size is a number, -1, or { axis } for the size of an axis of x.
  reshapelike: [
    "x sizes",
    (v) => {
      const x = v.tensor("x");
      const sizes = v.get("sizes") as readonly (number | { readonly axis: number })[];
      return tf.reshape(
        x,
        sizes.map((size) => (typeof size === "number" ? size : x.shape[size.axis]!)),
      );
    },
  ],
  // Repeats x, whose first size is 1, for each sample of another tensor.
  repeatlike: [
    "x like",
    (v) => {
      const x = v.tensor("x");
      return tf.tile(x, [v.tensor("like").shape[0]!, ...x.shape.slice(1).map(() => 1)]);
    },
  ],
  // 0, 1, 2, … for each sample of another tensor.
  rangelike: ["like", (v) => tf.range(0, v.tensor("like").shape[0]!, 1, "int32")],
  batchflatten: ["x", (v) => tf.reshape(v.tensor("x"), [v.tensor("x").shape[0]!, -1])],
  spacetobatch: [
    "x block_shape paddings",
    (v) => tf.spaceToBatchND(v.tensor("x"), v.numbers("block_shape")!, v.get("paddings") as number[][]),
  ],
  batchtospace: [
    "x block_shape crops",
    (v) => tf.batchToSpaceND(v.tensor("x"), v.numbers("block_shape")!, v.get("crops") as number[][]),
  ],
  ravel: ["x", (v) => tf.reshape(v.tensor("x"), [-1])],
  transpose: [
    "x axes",
    (v) => {
      const x = v.tensor("x");
      return tf.transpose(x, v.get("axes") === undefined ? undefined : v.axes("axes", x.rank));
    },
  ],
  swapaxes: [
    "x axis1 axis2",
    (v) => {
      const x = v.tensor("x");
      const [a, b] = [v.axis("axis1", x.rank, 0), v.axis("axis2", x.rank, 0)];
      return tf.transpose(
        x,
        x.shape.map((_, axis) => (axis === a ? b : axis === b ? a : axis)),
      );
    },
  ],
  moveaxis: [
    "x source destination",
    (v) => {
      const x = v.tensor("x");
      const [from, to] = [v.axes("source", x.rank), v.axes("destination", x.rank)];
      const order = x.shape.map((_, axis) => axis).filter((axis) => !from.includes(axis));
      for (const [place, axis] of [...to.entries()].toSorted((a, b) => a[1] - b[1]).map(([i, at]) => [at, from[i]!]))
        order.splice(place!, 0, axis!);
      return tf.transpose(x, order);
    },
  ],
  expanddims: [
    "x axis",
    (v) => {
      const x = v.tensor("x");
      const axes = v.numbers("axis") ?? [0];
      const rank = x.rank + axes.length;
      return axes
        .map((axis) => fromFront(axis, rank))
        .toSorted((a, b) => a - b)
        .reduce((y, axis) => tf.expandDims(y, axis), x);
    },
  ],
  squeeze: [
    "x axis",
    (v) => {
      const x = v.tensor("x");
      const axes = v.get("axis") === undefined ? undefined : v.axes("axis", x.rank);
      // tfjs takes an empty list for every axis of size 1.
      return axes?.length === 0 ? tf.clone(x) : tf.squeeze(x, axes);
    },
  ],
  concatenate: [
    "xs axis",
    (v) => {
      const tensors = v.tensors("xs");
      return tf.concat(tensors, v.axis("axis", tensors[0]!.rank, -1));
    },
  ],
  stack: [
    "x axis",
    (v) => {
      const tensors = v.tensors("x");
      return tf.stack(tensors, v.axis("axis", tensors[0]!.rank + 1, 0));
    },
  ],
  unstack: [
    "x num axis",
    (v) => {
      const x = v.tensor("x");
      return tf.unstack(x, v.axis("axis", x.rank, 0));
    },
  ],
  // Takes a number of equal parts, or the positions of the cuts.
  split: [
    "x indices_or_sections axis",
    (v) => {
      const x = v.tensor("x");
      const axis = v.axis("axis", x.rank, 0);
      const parts = v.get("indices_or_sections");
      if (typeof parts === "number") return tf.split(x, parts, axis);
      const bounds = [0, ...v.numbers("indices_or_sections")!, x.shape[axis]!];
      return tf.split(
        x,
        bounds.slice(1).map((end, part) => end - bounds[part]!),
        axis,
      );
    },
  ],
  // Takes a number of equal parts, or the sizes of the parts, as in TensorFlow.
  splitsizes: [
    "x sizes axis",
    (v) => {
      const x = v.tensor("x");
      const sizes = v.get("sizes");
      return tf.split(x, typeof sizes === "number" ? sizes : v.numbers("sizes")!, v.axis("axis", x.rank, 0));
    },
  ],
  tile: [
    "x repeats",
    (v) => {
      const x = v.tensor("x");
      const repeats = v.numbers("repeats")!;
      const ones = (count: number): number[] => Array.from({ length: Math.max(0, count) }, () => 1);
      const wide = tf.reshape(x, [...ones(repeats.length - x.rank), ...x.shape]);
      return tf.tile(wide, [...ones(x.rank - repeats.length), ...repeats]);
    },
  ],
  repeat: [
    "x repeats axis",
    (v) => {
      const flat = v.get("axis") === undefined;
      const x = flat ? tf.reshape(v.tensor("x"), [-1]) : v.tensor("x");
      return repeated(x, v.number("repeats", 1), v.axis("axis", x.rank, 0));
    },
  ],
  flip: [
    "x axis",
    (v) => {
      const x = v.tensor("x");
      return tf.reverse(x, v.axes("axis", x.rank));
    },
  ],
  roll: [
    "x shift axis",
    (v) => {
      const x = v.tensor("x");
      const shifts = v.numbers("shift")!;
      if (v.get("axis") === undefined) return tf.reshape(rolled(tf.reshape(x, [-1]), shifts[0]!, 0), x.shape);
      return v.axes("axis", x.rank).reduce((y, axis, i) => rolled(y, shifts[i] ?? shifts[0]!, axis), x);
    },
  ],
  pad: ["x pad_width mode constant_values", padded],
  // A size is a number, or { axis } for the size of an axis of x.
  broadcastto: [
    "x shape",
    (v) => {
      const x = v.tensor("x");
      const sizes = v.get("shape") as readonly (number | { readonly axis: number })[];
      return tf.broadcastTo(
        x,
        sizes.map((size) => (typeof size === "number" ? size : x.shape[size.axis]!)),
      );
    },
  ],
  take: [
    "x indices axis batch_dims",
    (v) => {
      const flat = v.get("axis") === undefined;
      const x = flat ? tf.reshape(v.tensor("x"), [-1]) : v.tensor("x");
      const batchDims = v.number("batch_dims", 0);
      // TensorFlow's default axis is the first after the axes that both tensors share.
      const axis = Math.max(v.axis("axis", x.rank, 0), batchDims);
      const indices = tf.cast(v.tensor("indices", "int32"), "int32");
      const wrapped = tf.where(
        tf.less(indices, tf.scalar(0, "int32")),
        tf.add(indices, tf.scalar(x.shape[axis]!, "int32")),
        indices,
      );
      return tf.gather(x, tf.cast(wrapped, "int32"), axis, batchDims);
    },
  ],
  slice: ["x start size", (v) => tf.slice(v.tensor("x"), v.numbers("start")!, v.numbers("size")!)],
  // TensorFlow's own form of an index: bit i of a mask is for axis i.
  stridedslice: [
    "x begin end strides begin_mask end_mask ellipsis_mask new_axis_mask shrink_axis_mask",
    (v) => {
      const [begin, end, strides] = [v.numbers("begin")!, v.numbers("end")!, v.numbers("strides")];
      const has = (mask: string, axis: number): boolean => ((v.number(mask, 0) >> axis) & 1) === 1;
      const key = begin.map((start, axis) => {
        if (has("ellipsis_mask", axis)) return { class_name: "__ellipsis__" };
        if (has("new_axis_mask", axis)) return null;
        if (has("shrink_axis_mask", axis)) return start;
        return {
          start: has("begin_mask", axis) ? null : start,
          stop: has("end_mask", axis) ? null : end[axis]!,
          step: strides?.[axis] ?? 1,
        };
      });
      return indexed(v.tensor("x"), key);
    },
  ],
  getitem: ["x key", (v) => indexed(v.tensor("x"), v.get("key"))],
  onehot: [
    "x num_classes axis sparse on_value off_value",
    (v) => {
      const x = tf.cast(v.tensor("x"), "int32");
      const [on, off] = [v.number("on_value", 1), v.number("off_value", 0)];
      const hot = tf.cast(tf.oneHot(x as tf.Tensor1D, v.number("num_classes", 1), on, off), "float32");
      const axis = v.axis("axis", hot.rank, -1);
      const order = hot.shape.map((_, i) => i).slice(0, -1);
      order.splice(axis, 0, hot.rank - 1);
      return tf.transpose(hot, order);
    },
  ],
  depthtospace: [
    "x block_size data_format",
    (v) => {
      channelsLast(v);
      const [n, h, w, c] = v.tensor("x").shape as [number, number, number, number];
      const block = v.number("block_size", 2);
      const out = c / (block * block);
      const apart = tf.reshape(v.tensor("x"), [n, h, w, block, block, out]);
      return tf.reshape(tf.transpose(apart, [0, 1, 3, 2, 4, 5]), [n, h * block, w * block, out]);
    },
  ],
  spacetodepth: [
    "x block_size data_format",
    (v) => {
      channelsLast(v);
      const [n, h, w, c] = v.tensor("x").shape as [number, number, number, number];
      const block = v.number("block_size", 2);
      const apart = tf.reshape(v.tensor("x"), [n, h / block, block, w / block, block, c]);
      return tf.reshape(tf.transpose(apart, [0, 1, 3, 2, 4, 5]), [n, h / block, w / block, c * block * block]);
    },
  ],
  matmul: [
    "x1 x2 transpose_a transpose_b",
    (v) => {
      const [a, b] = [v.tensor("x1"), v.tensor("x2")];
      return matrixProduct(a, b, v.flag("transpose_a"), v.flag("transpose_b"));
    },
  ],
  einsum: ["subscripts operands", (v) => einsum(v.word("subscripts", ""), v.tensors("operands"))],
};

function rolled(x: tf.Tensor, shift: number, axis: number): tf.Tensor {
  const size = x.shape[axis]!;
  const by = ((shift % size) + size) % size;
  if (by === 0) return tf.clone(x);
  const [head, tail] = tf.split(x, [size - by, by], axis);
  return tf.concat([tail!, head!], axis);
}

/** A matrix product that broadcasts over all axes but the last two, like NumPy's `@`. */
function matrixProduct(a: tf.Tensor, b: tf.Tensor, turnA = false, turnB = false): tf.Tensor {
  if (a.rank === 1 && b.rank === 1) return tf.sum(tf.mul(a, b));
  if (a.rank === 1) return tf.squeeze(matrixProduct(tf.expandDims(a, 0), b, false, turnB), [-2 + Math.max(b.rank, 2)]);
  if (b.rank === 1) {
    const y = matrixProduct(a, tf.expandDims(b, 1), turnA, false);
    return tf.squeeze(y, [y.rank - 1]);
  }
  const rank = Math.max(a.rank, b.rank);
  const outer = (x: tf.Tensor): number[] => [
    ...Array.from({ length: rank - x.rank }, () => 1),
    ...x.shape.slice(0, -2),
  ];
  const [outerA, outerB] = [outer(a), outer(b)];
  const shared = outerA.map((size, axis) => Math.max(size, outerB[axis]!));
  const stretched = (x: tf.Tensor, own: number[]): tf.Tensor => {
    const wide = tf.reshape(x, [...own, ...x.shape.slice(-2)]);
    return String(own) === String(shared) ? wide : tf.broadcastTo(wide, [...shared, ...x.shape.slice(-2)]);
  };
  return tf.matMul(stretched(a, outerA), stretched(b, outerB), turnA, turnB);
}

/** One entry of a Python index. */
type IndexPart = number | null | "…" | { start: number | null; stop: number | null; step: number | null };

export function indexPart(part: unknown): IndexPart {
  if (part === null || typeof part === "number") return part;
  if (part === "Ellipsis" || part === "...") return "…";
  if (isObject(part)) {
    if (part["class_name"] === "__ellipsis__") return "…";
    const slice = part["class_name"] === "__slice__" ? part["config"] : part;
    if (isObject(slice) && "start" in slice) {
      const { start = null, stop = null, step = null } = slice as Record<string, number | null>;
      if ([start, stop, step].every((bound) => bound === null || Number.isInteger(bound)) && step !== 0)
        return { start, stop, step };
    }
  }
  throw new OptionError(`expected whole numbers, slices and an ellipsis as an index, got ${shown(part)}`);
}

/** Evaluates Python's `x[key]`. */
function indexed(x: tf.Tensor, key: unknown): tf.Tensor {
  const parts = (Array.isArray(key) ? key : [key]).map(indexPart);
  const taken = parts.filter((part) => part !== null && part !== "…").length;
  const rest = Array.from({ length: x.rank - taken }, () => ({ start: null, stop: null, step: null }));
  const all = parts.includes("…") ? parts.flatMap((part) => (part === "…" ? rest : [part])) : [...parts, ...rest];
  const shape: number[] = [];
  let axis = 0;
  let y = x;
  for (const part of all as Exclude<IndexPart, "…">[]) {
    if (part === null) {
      shape.push(1);
      continue;
    }
    const size = x.shape[axis]!;
    if (typeof part === "number") y = along(y, axis, fromFront(part, size), 1);
    else {
      y = sliced(y, axis, part);
      shape.push(y.shape[axis]!);
    }
    axis += 1;
  }
  return tf.reshape(y, shape);
}

/** Takes every `step`-th element of one axis. */
export function sliced(
  x: tf.Tensor,
  axis: number,
  { start, stop, step }: { start: number | null; stop: number | null; step: number | null },
): tf.Tensor {
  const [size, by] = [x.shape[axis]!, step ?? 1];
  const bound = (value: number | null, otherwise: number): number => {
    if (value === null) return otherwise;
    const from = value < 0 ? value + size : value;
    return by > 0 ? Math.min(Math.max(from, 0), size) : Math.min(Math.max(from, -1), size - 1);
  };
  const [from, to] = by > 0 ? [bound(start, 0), bound(stop, size)] : [bound(start, size - 1), bound(stop, -1)];
  const count = Math.max(0, Math.ceil((to - from) / by));
  if (by === 1) return count === size ? x : along(x, axis, from, count);
  if (by === -1) return tf.reverse(along(x, axis, from - count + 1, count), axis);
  return tf.gather(
    x,
    tf.tensor1d(
      Array.from({ length: count }, (_, i) => from + i * by),
      "int32",
    ),
    axis,
  );
}
