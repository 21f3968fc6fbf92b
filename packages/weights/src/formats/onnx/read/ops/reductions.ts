import * as tfl from "@tensorflow/tfjs-layers";
import { SoftmaxOver } from "../../../../layers/base-layers.ts";
import { naturalOrder, orderOf, plain, range } from "../arrange.ts";
import type { Builder } from "../builder.ts";
import type { Value } from "../value.ts";
import type { OnnxNode } from "../node.ts";
import { newAxis, sizeOfAxis } from "../signal.ts";
import type { Axis, Signal } from "../signal.ts";
import { elementwise, mapped } from "./activations.ts";
import { withAxis } from "./with-axis.ts";
import { pooledWhole } from "./pools.ts";
import type { Read } from "./read.ts";
import { shapeOfValue } from "./shape-of.ts";

/** The axes of the tensor that hold exactly these of ONNX' axes; arranges the tensor, if need be. */
function placesOf(
  builder: Builder,
  node: OnnxNode,
  given: Signal,
  axes: readonly number[],
): { x: Signal; places: number[] } {
  const inside = (x: Signal): number[] | undefined => {
    const atoms = new Set(axes.flatMap((axis) => x.axes[axis]!));
    const places = range(0, x.physical.length).filter((place) => x.physical[place]!.some((atom) => atoms.has(atom)));
    return places.every((place) => x.physical[place]!.every((atom) => atoms.has(atom))) ? places : undefined;
  };
  const places = inside(given);
  if (places !== undefined) return { x: given, places };
  const x = plain(builder, node, given, naturalOrder(given));
  return { x, places: inside(x)! };
}

function reduced(builder: Builder, node: OnnxNode, op: string, value: Value = builder.input(node, 0)): Value {
  if (value.kind === "sizes") return builder.refuse(node, "reduces sizes that only the run knows");
  const rank = shapeOfValue(value).length;
  const given = builder.numbers(node, 1, "axes");
  if ((given === undefined || given.length === 0) && builder.number(node, "noop_with_empty_axes", 0) === 1)
    return value;
  const axes =
    given === undefined || given.length === 0 ? range(0, rank) : given.map((axis) => builder.axis(node, axis, rank));
  const keeps = builder.number(node, "keepdims", 1) === 1;
  const left = <T>(all: readonly T[], one: T): T[] =>
    all.flatMap((axis, index) => (axes.includes(index) ? (keeps ? [one] : []) : [axis]));
  if (value.kind === "constant") {
    const kept = left(value.shape, 1).map((size) => [{ size }]);
    return builder.operation(node, op, { x: value, axis: axes, keepdims: keeps }, [
      { axes: kept, physical: kept, type: value.type },
    ])[0]!;
  }
  const isOverMap = rank === 4 && String(axes.toSorted()) === "2,3" && String(orderOf(value)) === "0,2,3,1";
  if (isOverMap && (op === "mean" || op === "max") && value.type === "float")
    return pooledWhole(builder, node, value, op === "mean" ? "average" : "max", keeps);
  const { x, places } = placesOf(builder, node, value, axes);
  const result = {
    axes: left<Axis>(x.axes, []),
    physical: x.physical.filter((_, place) => !places.includes(place)),
    type: x.type,
  };
  // A tensor needs at least its first axis.
  const physical = result.physical;
  return builder.operation(node, op, { x, axis: places, keepdims: false }, [{ ...result, physical }], x.isRaw)[0]!;
}

const reduction =
  (op: string): Read =>
  (builder, node) =>
    reduced(builder, node, op);

/** Softmax over one axis; before operator set 13 over all axes from that one on. */
const softmax =
  (activation: "softmax" | "logSoftmax", op: string): Read =>
  (builder, node) => {
    const value = builder.input(node, 0);
    const rank = shapeOfValue(value).length;
    const isNew = builder.onnx.opset >= 13;
    const axis = builder.axis(node, builder.number(node, "axis", isNew ? -1 : 1), rank);
    const axes = isNew ? [axis] : range(axis, rank);
    if (value.kind !== "signal") return builder.refuse(node, "expected an input that depends on the model's input");
    if (axes.every((own) => sizeOfAxis(value.axes[own]!) === 1))
      return builder.refuse(node, "is taken over one element");
    const { x, places } = placesOf(builder, node, value, axes);
    const isLast = places.length === 1 && places[0] === x.physical.length - 1;
    if (isLast)
      return mapped(builder, node, x, (name) => tfl.layers.activation({ name, activation: activation as "softmax" }));
    if (op === "softmax") return mapped(builder, node, x, (name) => new SoftmaxOver({ name, axis: places }));
    return builder.operation(node, op, { x, axis: places }, [x])[0]!;
  };

const index =
  (op: "argmax" | "argmin"): Read =>
  (builder, node) => {
    const value = builder.signal(node);
    if (builder.number(node, "select_last_index", 0) === 1)
      return builder.refuse(node, "takes the last of equal elements, which is not known");
    const axis = builder.axis(node, builder.number(node, "axis", 0), value.axes.length);
    const { x, place } = withAxis(builder, node, value, axis);
    const keeps = builder.number(node, "keepdims", 1) === 1;
    const axes = x.axes.flatMap((own, at) => (at === axis ? (keeps ? [[]] : []) : [own]));
    const physical = x.physical.filter((_, at) => at !== place);
    return builder.operation(node, op, { x, axis: place }, [{ axes, physical, type: "int" }])[0]!;
  };

/** A reduction of a function of the input. */
const reductionOf =
  (inner: string, op: string): Read =>
  (builder, node) => {
    const x = builder.signal(node);
    return reduced(builder, node, op, builder.operation(node, inner, { x }, [x], x.isRaw)[0]!);
  };

export const reductionReads: Readonly<Record<string, Read>> = {
  ReduceMean: reduction("mean"),
  ReduceSum: reduction("sum"),
  ReduceMax: reduction("max"),
  ReduceMin: reduction("min"),
  ReduceProd: reduction("prod"),
  ReduceLogSumExp: reduction("logsumexp"),
  ReduceL1: reductionOf("abs", "sum"),
  ReduceLogSum: (builder, node) => {
    const x = reduced(builder, node, "sum");
    if (x.kind === "sizes") return builder.refuse(node, "reduces sizes that only the run knows");
    return elementwise(builder, node, x, "log");
  },
  ReduceL2: reduction("norm"),
  ReduceSumSquare: reductionOf("square", "sum"),
  Softmax: softmax("softmax", "softmax"),
  LogSoftmax: softmax("logSoftmax", "logsoftmax"),
  Hardmax: (builder, node) => {
    const value = builder.signal(node);
    const rank = value.axes.length;
    const isNew = builder.onnx.opset >= 13;
    const axis = builder.axis(node, builder.number(node, "axis", isNew ? -1 : 1), rank);
    if (!isNew && axis !== rank - 1)
      return builder.refuse(node, "is taken over several axes at once, which is not known");
    const { x, place } = withAxis(builder, node, value, axis);
    return builder.operation(node, "hardmax", { x, axis: place }, [x])[0]!;
  },
  ArgMax: index("argmax"),
  ArgMin: index("argmin"),
  CumSum: (builder, node) => {
    const value = builder.signal(node);
    const { x, place } = withAxis(
      builder,
      node,
      value,
      builder.axis(node, builder.constant(node, 1).read()[0]!, value.axes.length),
    );
    const stated = ["exclusive", "reverse"].filter((name) => builder.number(node, name, 0) === 1);
    const more = Object.fromEntries(stated.map((name) => [name, true]));
    return builder.operation(node, "cumsum", { x, axis: place, ...more }, [x])[0]!;
  },
  LpNormalization: (builder, node) => {
    const value = builder.signal(node);
    const { x, place } = withAxis(
      builder,
      node,
      value,
      builder.axis(node, builder.number(node, "axis", -1), value.axes.length),
    );
    return builder.operation(
      node,
      "normalize",
      { x, axis: place, order: builder.number(node, "p", 2), epsilon: 1e-12 },
      [x],
    )[0]!;
  },
  TopK: (builder, node) => {
    const value = builder.signal(node);
    const axis = builder.axis(node, builder.number(node, "axis", -1), value.axes.length);
    const smallest = builder.number(node, "largest", 1) !== 1;
    const order = [...range(0, value.axes.length).filter((own) => own !== axis), axis];
    const x = plain(builder, node, value, order);
    const k = builder.optionalConstant(node, 1)?.read()[0] ?? builder.number(node, "k", 1);
    const size = sizeOfAxis(value.axes[axis]!);
    if (!(Number.isInteger(k) && k >= 1 && (typeof size !== "number" || k <= size)))
      return builder.refuse(node, `expected a k from 1 to ${String(size)}, got ${k}`);
    const own = newAxis(k);
    const axes = x.axes.map((other, at) => (at === axis ? own : other));
    const physical = [...x.physical.slice(0, -1), own];
    return builder.operation(node, "topk", { x, k, ...(smallest ? { smallest } : {}) }, [
      { axes, physical, type: "float" },
      { axes, physical, type: "int" },
    ]);
  },
};
