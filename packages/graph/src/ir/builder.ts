import { attr, tensorProto } from "./attrs.ts";
import type { Attr } from "./attrs.ts";
import type { GraphNode, Output, Ref } from "./graph-node.ts";
import { DT } from "../values/dtypes.ts";
import type { TypedArray } from "../values/dtypes.ts";

/** The parts of a node besides its name and op; missing parts are empty. */
export interface NodeParts extends Partial<Pick<GraphNode, "eager" | "at">> {
  inputs?: readonly Ref[];
  control?: readonly GraphNode[];
  attrs?: Record<string, Attr>;
  outputs?: readonly Output[];
}

/** Makes a node. All nodes are made with this function. */
export function makeNode(
  name: string,
  op: string,
  { inputs = [], control = [], attrs = {}, outputs = [], ...rest }: NodeParts = {},
): GraphNode {
  return { name, op, inputs: [...inputs], control: [...control], attrs, outputs: [...outputs], ...rest };
}

/** Turns a node into another in place: its users then use the other one. The name and outputs stay. */
export function becomeNode(node: GraphNode, op: string, inputs: readonly Ref[], attrs: Record<string, Attr>): void {
  Object.assign(node, { op, inputs: [...inputs], attrs });
}

/** The first output of a node. */
export function firstOutput(node: GraphNode): Ref {
  return { node, index: 0 };
}

/** A Const node that shares the memory of `values`. */
export function constNode(name: string, dtype: number, shape: readonly number[], values: TypedArray): GraphNode {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const attrs = { dtype: attr.type(dtype), value: attr.tensor(tensorProto(dtype, shape, bytes)) };
  return makeNode(name, "Const", { attrs, outputs: [{ dtype, shape }] });
}

/** A constant of whole numbers: a vector unless a shape is given. */
export function intsConst(name: string, values: readonly number[], shape: readonly number[] = [values.length]): Ref {
  return firstOutput(constNode(name, DT.int32, shape, Int32Array.from(values)));
}

/** A constant float32 scalar. */
export function floatConst(name: string, value: number): Ref {
  return firstOutput(constNode(name, DT.float32, [], Float32Array.of(value)));
}

/** A Placeholder node. */
export function placeholderNode(name: string, dtype: number, shape: readonly number[]): GraphNode {
  const attrs = { dtype: attr.type(dtype), shape: attr.shape(shape) };
  return makeNode(name, "Placeholder", { attrs, outputs: [{ dtype, shape }] });
}

/** A Cast node. */
export function castNode(name: string, x: Ref, { dtype: from, shape }: Output, to: number): GraphNode {
  const attrs = { SrcT: attr.type(from), DstT: attr.type(to) };
  return makeNode(name, "Cast", { inputs: [x], attrs, outputs: [{ dtype: to, shape }] });
}

/** The handle node of a session's variable; `key` names the variable in the session. */
export function handleNode(name: string, { dtype, shape }: Output, key: string): GraphNode {
  const attrs = {
    dtype: attr.type(dtype),
    shape: attr.shape(shape),
    shared_name: attr.string(key),
    container: attr.string(""),
  };
  return makeNode(name, "VarHandleOp", { attrs, outputs: [{ dtype: DT.resource, shape: [] }] });
}

/** The node that reads a variable. */
export function readNode(name: string, handle: GraphNode, { dtype, shape }: Output): GraphNode {
  return makeNode(name, "ReadVariableOp", {
    inputs: [firstOutput(handle)],
    attrs: { dtype: attr.type(dtype) },
    outputs: [{ dtype, shape }],
  });
}

/** The node that writes a value to a variable. */
export function assignNode(name: string, handle: GraphNode, value: Ref, dtype: number): GraphNode {
  return makeNode(name, "AssignVariableOp", {
    inputs: [firstOutput(handle), value],
    attrs: { dtype: attr.type(dtype) },
  });
}

/** The node that destroys a variable, which need not exist. */
export function destroyNode(name: string, handle: GraphNode): GraphNode {
  return makeNode(name, "DestroyResourceOp", {
    inputs: [firstOutput(handle)],
    attrs: { ignore_lookup_error: attr.bool(true) },
  });
}
