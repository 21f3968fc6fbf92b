import { attr } from "../ir/attrs.ts";
import { firstOutput } from "../ir/builder.ts";
import { outputOf } from "../ir/graph-node.ts";
import type { Ref } from "../ir/graph-node.ts";
import { sizeOf } from "../values/dtypes.ts";
import { reshaped } from "./reshapes.ts";
import type { GrowingGraph, PeepholeRule } from "./rule.ts";

/** From this many multiplications on, the choice of TensorFlow's matrix product matters. */
const largeProduct = 2 ** 24;

/** From this many summed rows on, the batched product transposes a left side faster. */
const manyRows = 128;

export const batchedProductAsMatmul: PeepholeRule = {
  name: "batched-product-as-matmul",
  description: "a batched product of one matrix each is `MatMul`, unless the batched one is faster",
  ops: ["BatchMatMulV2"],
  replace: ({ attrs: { T, adj_x, adj_y }, inputs: [a, b] }, graph) => {
    if (a === undefined || b === undefined || T === undefined) return undefined;
    const [left, right] = [asMatrix(graph, a), asMatrix(graph, b)];
    if (left === undefined || right === undefined) return undefined;
    if (isFasterBatched(outputOf(a).shape, outputOf(b).shape, adj_x?.["b"] === true, adj_y?.["b"] === true))
      return undefined;
    const attrs = { T, transpose_a: adj_x ?? attr.bool(false), transpose_b: adj_y ?? attr.bool(false) };
    const product = firstOutput(graph.add("MatMul", attrs, [left, right]));
    const rank = Math.max(outputOf(a).shape.length, outputOf(b).shape.length);
    return reshaped(graph, product, [...Array.from({ length: rank - 2 }, () => 1), ...outputOf(product).shape]);
  },
};

/**
 * True if TensorFlow's batched product (oneDNN's primitive) is faster than the plain one (oneDNN's `sgemm`). Measured
 * over dense layers' gradients on AVX-512: 1.1 to 2 times as fast with a transposed right side, or with a transposed
 * left side of 128 rows or more. Over few rows the plain one is up to twice as fast.
 */
function isFasterBatched(a: readonly number[], b: readonly number[], turnsLeft: boolean, turnsRight: boolean): boolean {
  const [rows, summed] = turnsLeft ? [a.at(-1)!, a.at(-2)!] : [a.at(-2)!, a.at(-1)!];
  const columns = b.at(turnsRight ? -2 : -1)!;
  if (turnsLeft === turnsRight || rows * summed * columns < largeProduct) return false;
  return turnsRight || summed >= manyRows;
}

/** The matrix in a stack of one; undefined for any other tensor. */
function asMatrix(graph: GrowingGraph, x: Ref): Ref | undefined {
  const { shape } = outputOf(x);
  if (sizeOf(shape.slice(0, -2)) !== 1 || shape.length < 2) return undefined;
  return reshaped(graph, x, shape.slice(-2));
}
