import type * as tf from "@tensorflow/tfjs-core";
import { attr } from "../ir/attrs.ts";
import { entryOf } from "../tfjs/backend.ts";
import type { Backend, Entry, Owner } from "../tfjs/backend.ts";
import { DT, fromTfjs, sizeOf, widthOf } from "../values/dtypes.ts";
import type { TypedArray } from "../values/dtypes.ts";
import { GraphError } from "../graph-error.ts";
import { constNode } from "../ir/graph-node.ts";
import type { GraphNode } from "../ir/graph-node.ts";
import type { Plan } from "./session.ts";

/** Where a variable's value is kept. */
interface Store {
  readonly backend: Backend;
  read(variable: SessionVariable): TypedArray;
  check(variable: SessionVariable): void;
}

/** Variables that were loaded together and are read together. */
export interface Group {
  members: SessionVariable[];
  read?: Plan;
}

/** A tfjs variable whose value lives in a session: tfjs reads it there, and what tfjs assigns is sent there before a run. */
export class SessionVariable implements Owner {
  readonly variable: tf.Variable;
  readonly key: string;
  readonly dtype: number;
  readonly shape: readonly number[];
  group: Group | undefined;
  released = false;
  readonly #store: Store;

  constructor(store: Store, variable: tf.Variable, key: string) {
    this.#store = store;
    this.variable = variable;
    this.key = key;
    this.dtype = fromTfjs(variable.dtype);
    this.shape = variable.shape;
  }

  get bytes(): number {
    return sizeOf(this.shape) * widthOf(this.dtype);
  }

  /** What tfjs keeps of the variable's data now. */
  get entry(): Entry {
    const entry = entryOf(this.#store.backend, this.variable.dataId);
    if (entry === undefined || this.variable.isDisposed)
      throw new GraphError(
        `The variable ${this.variable.name} of a compiled function was disposed; compile the function anew.`,
      );
    return entry;
  }

  read(): TypedArray {
    return this.#store.read(this);
  }

  letGo(): void {
    this.#store.check(this);
  }

  /** The node that other graphs of the session reach the value by. */
  handle(name: string): GraphNode {
    return {
      name,
      op: "VarHandleOp",
      inputs: [],
      control: [],
      attrs: {
        dtype: attr.type(this.dtype),
        shape: attr.shape(this.shape),
        shared_name: attr.string(this.key),
        container: attr.string(""),
      },
      outputs: [{ dtype: DT.resource, shape: [] }],
    };
  }
}

/** The node that reads a variable. */
export function readNode({ key, dtype, shape }: SessionVariable, handle: GraphNode): GraphNode {
  const inputs = [{ node: handle, index: 0 }];
  return {
    name: `${key}/read`,
    op: "ReadVariableOp",
    inputs,
    control: [],
    attrs: { dtype: attr.type(dtype) },
    outputs: [{ dtype, shape }],
  };
}

/** The node that assigns a value to a variable. */
export function assignNode(
  { key, dtype }: SessionVariable,
  handle: GraphNode,
  value: GraphNode,
  name: string,
): GraphNode {
  const inputs = [
    { node: handle, index: 0 },
    { node: value, index: 0 },
  ];
  const attrs = { dtype: attr.type(dtype), validate_shape: attr.bool(false) };
  return { name: `${key}/${name}`, op: "AssignVariableOp", inputs, control: [], attrs, outputs: [] };
}

/** The nodes that fill a variable with one number; the last is called `name`. */
export function fillNodes(variable: SessionVariable, name: string, fill: number): GraphNode[] {
  const scalar = variable.dtype === DT.int32 ? Int32Array.of(fill) : Float32Array.of(fill);
  const value = constNode(`${name}/number`, variable.dtype, [], new Uint8Array(scalar.buffer));
  const dims = Int32Array.from(variable.shape);
  const shape = constNode(`${name}/shape`, DT.int32, [dims.length], new Uint8Array(dims.buffer));
  const filled: GraphNode = {
    name: `${name}/value`,
    op: "Fill",
    inputs: [
      { node: shape, index: 0 },
      { node: value, index: 0 },
    ],
    control: [],
    attrs: { T: attr.type(variable.dtype), index_type: attr.type(DT.int32) },
    outputs: [],
  };
  const handle = variable.handle(`${name}/handle`);
  return [value, shape, filled, handle, { ...assignNode(variable, handle, filled, ""), name }];
}
