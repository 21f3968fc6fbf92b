import { DT } from "../values/dtypes.ts";
import { attr, tensorProto } from "../ir/attrs.ts";
import { constNode, firstOutput, makeNode } from "../ir/builder.ts";
import { constantOf } from "../ir/constants.ts";
import type { GraphNode } from "../ir/graph-node.ts";

/**
 * Makes a graph that was recorded at one batch size take any batch size. `other` is the same function recorded at another
 * size: numbers that differ between the two depend on the batch size. One in the shape of a reshape becomes -1; elsewhere
 * they are computed from the first input. Returns the nodes of the graph and the added ones. Returns undefined and leaves
 * the graph unchanged if a number depends on the batch size in another way.
 */
export function freeBatch(
  nodes: readonly GraphNode[],
  other: readonly GraphNode[],
  batches: readonly [number, number],
): GraphNode[] | undefined {
  const found = compared(nodes, other, batches);
  if (found === undefined) return undefined;
  for (const change of found.changes) change();
  return [...nodes.slice(0, found.first + 1), ...found.sizes.nodes, ...nodes.slice(found.first + 1)];
}

/**
 * The places of the numbers that depend on the batch size, in two recordings of one function. Undefined if the recordings
 * are not the same computation at two batch sizes.
 */
export function batchDependent(
  nodes: readonly GraphNode[],
  other: readonly GraphNode[],
  batches: readonly [number, number],
): readonly number[] | undefined {
  return compared(nodes, other, batches)?.places;
}

interface Comparison {
  /** Where the first input with the batch size is. */
  readonly first: number;
  readonly sizes: BatchSizes;
  readonly changes: readonly (() => void)[];
  readonly places: readonly number[];
}

function compared(
  nodes: readonly GraphNode[],
  other: readonly GraphNode[],
  [batch, otherBatch]: readonly [number, number],
): Comparison | undefined {
  if (nodes.length !== other.length) return undefined;
  const changes: (() => void)[] = [];
  const places: number[] = [];
  const first = nodes.findIndex(({ op, outputs }) => op === "Placeholder" && outputs[0]?.shape[0] === batch);
  const sizes = new BatchSizes(nodes[first]);
  for (const [index, node] of nodes.entries()) {
    const twin = other[index] as GraphNode;
    if (node.op !== twin.op) return undefined;
    if (node.op === "Placeholder") {
      const dims =
        node.outputs[0]?.shape.map((size, axis) => (size === twin.outputs[0]?.shape[axis] ? size : -1)) ?? [];
      changes.push(() => (node.attrs = { ...node.attrs, shape: attr.shape(dims) }));
      continue;
    }
    if (node.op !== "Const") {
      if (node.op !== "VarHandleOp" && JSON.stringify(node.attrs) !== JSON.stringify(twin.attrs)) return undefined;
      continue;
    }
    const [x, y] = [constantOf(node)!, constantOf(twin)!];
    if (sameBytes(x, y)) continue;
    const output = node.outputs[0];
    if (output === undefined || output.shape.length > 1 || x.length !== y.length) return undefined;
    if (!(x instanceof Int32Array && y instanceof Int32Array)) return undefined;
    // Each number as a multiple of the batch size; 0 for numbers that do not depend on it.
    const times = [...x].map((size, axis) =>
      size === y[axis] ? 0 : ((y[axis] as number) - size) / (otherBatch - batch),
    );
    const isMultiple = first !== -1 && times.every((factor, axis) => factor === 0 || factor * batch === x[axis]);
    places.push(index);
    const users = nodes.filter(({ inputs }) => inputs.some((input) => input.node === node));
    // TensorFlow infers one size of a reshape only.
    if (
      times.filter((factor) => factor !== 0).length === 1 &&
      !x.includes(-1) &&
      users.every((user) => user.op === "Reshape" && user.inputs[1]?.node === node)
    ) {
      const open = x.map((size, axis) => (size === y[axis] ? size : -1));
      const value = tensorProto(DT.int32, output.shape, new Uint8Array(open.buffer));
      changes.push(() => (node.attrs = { ...node.attrs, value: attr.tensor(value) }));
      continue;
    }
    if (!isMultiple) return undefined;
    changes.push(() => sizes.replace(node, x, times));
  }
  return { first, sizes, changes, places };
}

/** Computes numbers from the first size of an input. */
class BatchSizes {
  readonly nodes: GraphNode[] = [];
  readonly #input: GraphNode | undefined;
  #size: GraphNode | undefined;

  constructor(input: GraphNode | undefined) {
    this.#input = input;
  }

  /** Replaces a constant's elements by `times` the batch size; where `times` is 0, the element stays. */
  replace(node: GraphNode, values: Int32Array, times: readonly number[]): void {
    const parts = times.map((factor, index) => {
      if (factor === 0) return this.#number(values[index] as number);
      return factor === 1 ? this.#batch() : this.#add("Mul", [this.#batch(), this.#number(factor)], int32);
    });
    const isScalar = node.outputs[0]?.shape.length === 0;
    Object.assign(node, {
      op: isScalar ? "Identity" : "Pack",
      inputs: parts.map((part) => ({ node: part, index: 0 })),
      attrs: isScalar ? int32 : { ...int32, N: attr.int(parts.length), axis: attr.int(0) },
    });
  }

  #batch(): GraphNode {
    if (this.#size !== undefined) return this.#size;
    const input = this.#input as GraphNode;
    const { dtype, shape } = input.outputs[0] as GraphNode["outputs"][number];
    const types = { T: attr.type(dtype), out_type: attr.type(DT.int32) };
    const whole = this.#add("Shape", [input], types, [shape.length]);
    const masks = ["begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask"].map((mask) => [mask, attr.int(0)]);
    this.#size = this.#add("StridedSlice", [whole, this.#vector(0), this.#vector(1), this.#vector(1)], {
      ...int32,
      Index: attr.type(DT.int32),
      ...Object.fromEntries(masks),
      shrink_axis_mask: attr.int(1),
    });
    return this.#size;
  }

  #number(value: number): GraphNode {
    return this.#constant([], value);
  }

  #vector(value: number): GraphNode {
    return this.#constant([1], value);
  }

  #constant(shape: readonly number[], value: number): GraphNode {
    const node = constNode(`any_batch/${this.nodes.length}`, DT.int32, shape, Int32Array.of(value));
    this.nodes.push(node);
    return node;
  }

  #add(op: string, inputs: readonly GraphNode[], attrs: GraphNode["attrs"], shape: readonly number[] = []): GraphNode {
    const node = makeNode(`any_batch/${this.nodes.length}`, op, {
      inputs: inputs.map(firstOutput),
      attrs,
      outputs: [{ dtype: DT.int32, shape }],
    });
    this.nodes.push(node);
    return node;
  }
}

const int32 = { T: attr.type(DT.int32) };

function sameBytes(a: ArrayBufferView, b: ArrayBufferView): boolean {
  const [x, y] = [a, b].map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength));
  return x!.equals(y!);
}
