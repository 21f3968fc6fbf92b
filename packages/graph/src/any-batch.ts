import { DT } from "./dtypes.ts";
import { attr, tensorProto } from "./attrs.ts";
import { constBytes } from "./graph-node.ts";
import type { GraphNode } from "./graph-node.ts";

/**
 * Makes a graph that was recorded at one batch size take any: `other` is the same function recorded at another size, and
 * where the two differ there is the batch. False, with the graph untouched, where it cannot be told by a -1.
 */
export function freeBatch(nodes: readonly GraphNode[], other: readonly GraphNode[]): boolean {
  if (nodes.length !== other.length) return false;
  const changes: (() => void)[] = [];
  for (const [index, node] of nodes.entries()) {
    const twin = other[index] as GraphNode;
    if (node.op !== twin.op) return false;
    if (node.op === "Placeholder") {
      const dims =
        node.outputs[0]?.shape.map((size, axis) => (size === twin.outputs[0]?.shape[axis] ? size : -1)) ?? [];
      changes.push(() => (node.attrs = { ...node.attrs, shape: attr.shape(dims) }));
    }
    if (node.op !== "Const") continue;
    const [a, b] = [constBytes(node)!, constBytes(twin)!];
    if (Buffer.compare(a, b) === 0) continue;
    const sizes = reshapedTo(a, b);
    const users = nodes.filter(({ inputs }) => inputs.some((input) => input.node === node));
    const isShape = users.every((user) => user.op === "Reshape" && user.inputs[1]?.node === node);
    if (!isShape || sizes === undefined || node.outputs[0]?.dtype !== DT.int32) return false;
    const value = tensorProto(DT.int32, node.outputs[0].shape, new Uint8Array(sizes.buffer));
    changes.push(() => (node.attrs = { ...node.attrs, value: attr.tensor(value) }));
  }
  for (const change of changes) change();
  return true;
}

/** The sizes with -1 where they differ; undefined if that is not one place. */
function reshapedTo(a: Uint8Array, b: Uint8Array): Int32Array | undefined {
  if (a.length !== b.length || a.length % 4 !== 0) return undefined;
  const [x, y] = [a, b].map((bytes) => new Int32Array(bytes.slice().buffer)) as [Int32Array, Int32Array];
  const sizes = x.map((size, axis) => (size === y[axis] ? size : -1));
  return sizes.filter((size) => size === -1).length === 1 ? sizes : undefined;
}
