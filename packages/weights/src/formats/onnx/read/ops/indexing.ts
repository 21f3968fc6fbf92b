import { plain, range } from "../arrange.ts";
import type { Builder } from "../builder.ts";
import type { Value } from "../value.ts";
import { constantOf } from "../constant.ts";
import type { Constant } from "../constant.ts";
import type { OnnxNode } from "../node.ts";
import { newAxis, sizeOfAxis } from "../signal.ts";
import type { Axis, Signal } from "../signal.ts";
import { isKnownSize, sameSize, shapeText } from "../sizes.ts";
import type { Size } from "../sizes.ts";
import type { Read } from "./read.ts";
import { gatherPlaces } from "./gather.ts";
import { shapeOfValue } from "./shape-of.ts";

/** A value with one axis of its tensor for each of ONNX' axes, in ONNX' order. */
function inOrder(builder: Builder, node: OnnxNode, index: number): Signal | Constant {
  const value = builder.input(node, index);
  if (value.kind === "signal") return plain(builder, node, value, range(0, value.axes.length));
  if (value.kind === "constant") return value;
  if (value.items.every(isKnownSize)) return constantOf([value.items.length], "int", value.items as number[]);
  return builder.refuse(node, `its input ${index} has sizes that only the run knows`);
}

function axesOf(value: Signal | Constant): readonly Axis[] {
  return value.kind === "signal" ? value.axes : value.shape.map((size) => newAxis(size));
}

/** Throws for constant places that are outside of these sizes, one for each column. */
function checkPlaces(builder: Builder, node: OnnxNode, indices: Value, sizes: readonly Size[]): void {
  if (indices.kind !== "constant") return;
  for (const [at, place] of Array.from(indices.read()).entries()) {
    const size = sizes[at % sizes.length]!;
    if (isKnownSize(size) && !(Number.isInteger(place) && place >= -size && place < size))
      builder.refuse(node, `expected places within ${size}, got ${place}`);
  }
}

/** Places over an axis whose sizes along the others may be smaller than the tensor's. */
function checkElements(builder: Builder, node: OnnxNode, x: Value, indices: Value, axis: number): void {
  const [own, places] = [shapeOfValue(x), shapeOfValue(indices)];
  const fits =
    own.length === places.length &&
    places.every((size, at) => at === axis || !isKnownSize(size) || !isKnownSize(own[at]!) || size <= own[at]);
  if (!fits)
    builder.refuse(
      node,
      `its indices of ${shapeText(places)} do not fit an input of ${shapeText(own)} along axis ${axis}`,
    );
  checkPlaces(builder, node, indices, [own[axis]!]);
}

function gatherElements(builder: Builder, node: OnnxNode): Value {
  const [x, indices] = [inOrder(builder, node, 0), inOrder(builder, node, 1)];
  const axis = builder.axis(node, builder.number(node, "axis", 0), shapeOfValue(x).length);
  checkElements(builder, node, x, indices, axis);
  // Axes that the tensor has, too, stay its own, so that the batch is known.
  const own = axesOf(x);
  const axes = axesOf(indices).map((other, at) =>
    at !== axis && sameSize(sizeOfAxis(other), sizeOfAxis(own[at]!)) ? own[at]! : other,
  );
  return builder.operation(node, "gatherelements", { x, indices, axis }, [{ axes, physical: axes, type: x.type }])[0]!;
}

function gatherNd(builder: Builder, node: OnnxNode): Value {
  const batchDims = builder.number(node, "batch_dims", 0);
  const [given, places] = [shapeOfValue(builder.input(node, 0)), builder.input(node, 1)];
  const depth = shapeOfValue(places).at(-1);
  if (batchDims === 0 && places.kind === "constant" && given.slice(0, Number(depth)).every(isKnownSize))
    return gatherPlaces(builder, node);
  const [x, indices] = [inOrder(builder, node, 0), inOrder(builder, node, 1)];
  const { own, depth: count } = rowsOf(builder, node, x, indices, batchDims);
  const axes = [...axesOf(indices).slice(0, -1), ...axesOf(x).slice(batchDims + count)];
  for (const axis of range(0, batchDims)) axes[axis] = axesOf(x)[axis]!;
  checkPlaces(builder, node, indices, own.slice(batchDims, batchDims + count));
  return builder.operation(node, "gathernd", { x, indices, batch_dims: batchDims }, [
    { axes, physical: axes, type: x.type },
  ])[0]!;
}

/** The sizes of a tensor, and along how many axes rows of indices take from it. */
function rowsOf(
  builder: Builder,
  node: OnnxNode,
  x: Value,
  indices: Value,
  batchDims: number,
): { own: readonly Size[]; depth: number } {
  const [own, places] = [shapeOfValue(x), shapeOfValue(indices)];
  const depth = places.at(-1) ?? 0;
  if (!isKnownSize(depth) || depth < 1 || batchDims < 0 || batchDims + depth > own.length || batchDims >= places.length)
    return builder.refuse(node, `its indices of ${shapeText(places)} do not fit an input of ${shapeText(own)}`);
  return { own, depth };
}

function reductionOf(builder: Builder, node: OnnxNode): string {
  const reduction = builder.word(node, "reduction", "none");
  return reduction === "none" || reduction === "add"
    ? reduction
    : builder.refuse(node, `sets elements with the reduction ${reduction}, which is not known: none and add are`);
}

function scatterElements(builder: Builder, node: OnnxNode): Value {
  const [x, indices, updates] = [0, 1, 2].map((index) => inOrder(builder, node, index)) as [
    Signal | Constant,
    Signal | Constant,
    Signal | Constant,
  ];
  const axis = builder.axis(node, builder.number(node, "axis", 0), shapeOfValue(x).length);
  checkElements(builder, node, x, indices, axis);
  const axes = axesOf(x);
  const values = { x, indices, updates, axis, reduction: reductionOf(builder, node) };
  return builder.operation(node, "scatterelements", values, [{ axes, physical: axes, type: x.type }])[0]!;
}

function scatterNd(builder: Builder, node: OnnxNode): Value {
  const [x, indices, updates] = [0, 1, 2].map((index) => inOrder(builder, node, index)) as [
    Signal | Constant,
    Signal | Constant,
    Signal | Constant,
  ];
  const { own, depth } = rowsOf(builder, node, x, indices, 0);
  checkPlaces(builder, node, indices, own.slice(0, depth));
  const axes = axesOf(x);
  const values = { x, indices, updates, reduction: reductionOf(builder, node) };
  return builder.operation(node, "scatternd", values, [{ axes, physical: axes, type: x.type }])[0]!;
}

/** The part of matrices on one side of a diagonal. */
function triangle(builder: Builder, node: OnnxNode): Value {
  const x = inOrder(builder, node, 0);
  const k = builder.optionalConstant(node, 1)?.read()[0] ?? 0;
  const axes = axesOf(x);
  const op = builder.number(node, "upper", 1) === 1 ? "triu" : "tril";
  return builder.operation(node, op, { x, k }, [{ axes, physical: axes, type: x.type }])[0]!;
}

/** Ones at the places along a new axis, or two other values. */
function oneHot(builder: Builder, node: OnnxNode): Value {
  const x = inOrder(builder, node, 0);
  const [depth, [off, on]] = [builder.constant(node, 1).read()[0]!, Array.from(builder.constant(node, 2).read())];
  const rank = shapeOfValue(x).length + 1;
  const axis = builder.axis(node, builder.number(node, "axis", -1), rank);
  if (!(Number.isInteger(depth) && depth >= 1) || off === undefined || on === undefined)
    return builder.refuse(node, "expected a depth from 1 on and two values");
  const axes = axesOf(x).toSpliced(axis, 0, newAxis(depth));
  const output = { axes, physical: axes, type: "float" as const };
  const [hot] = builder.operation(node, "onehot", { x, num_classes: depth, axis }, [output]);
  if (off === 0 && on === 1) return hot!;
  const [scaled] = builder.operation(node, "multiply", { x1: hot, x2: on - off }, [output]);
  return builder.operation(node, "add", { x1: scaled, x2: off }, [output])[0]!;
}

export const indexed: Readonly<Record<string, Read>> = {
  GatherElements: gatherElements,
  GatherND: gatherNd,
  OneHot: oneHot,
  ScatterElements: scatterElements,
  ScatterND: scatterNd,
  Trilu: triangle,
};
