import { attr } from "../ir/attrs.ts";
import { firstOutput } from "../ir/builder.ts";
import { outputOf } from "../ir/graph-node.ts";
import type { Ref } from "../ir/graph-node.ts";
import { DT } from "../values/dtypes.ts";
import type { GrowingGraph } from "./rule.ts";

/** Whether two shapes are equal. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** The tensor before its reshape; the tensor itself if it was not reshaped. */
export function beforeReshape(x: Ref): Ref {
  return x.node.op === "Reshape" ? (x.node.inputs[0] as Ref) : x;
}

/** A tensor in another shape, with at most one reshape. */
export function reshaped(graph: GrowingGraph, x: Ref, shape: readonly number[]): Ref {
  const from = beforeReshape(x);
  if (sameShape(outputOf(from).shape, shape)) return from;
  const dims = graph.constant(DT.int32, [shape.length], Int32Array.from(shape));
  const attrs = { T: attr.type(outputOf(from).dtype), Tshape: attr.type(DT.int32) };
  return firstOutput(graph.add("Reshape", attrs, [from, dims]));
}

/**
 * The matrix in a stack of one matrix (`[1, …, 1, rows, columns]`), if the matrix is a product, with or without bias.
 * TensorFlow fuses product, bias and activation only if no reshape lies between them.
 */
export function matrixBehind({ node }: Ref): Ref | undefined {
  const [matrix] = node.op === "Reshape" ? node.inputs : [];
  if (matrix === undefined || !/^(MatMul|BiasAdd)$/.test(matrix.node.op)) return undefined;
  const [from, to] = [outputOf(matrix).shape, node.outputs[0]!.shape];
  return from.length === 2 && sameShape(to.slice(-2), from) ? matrix : undefined;
}
