import type * as tf from "@tensorflow/tfjs-core";
import { attr } from "../ir/attrs.ts";
import { entryOf } from "../tfjs/backend.ts";
import type { Backend, Entry, Owner } from "../tfjs/backend.ts";
import { DT, fromTfjs, sizeOf, widthOf } from "../values/dtypes.ts";
import type { TypedArray } from "../values/dtypes.ts";
import { GraphError } from "../graph-error.ts";
import { assignNode, constNode, firstOutput, handleNode, intsConst, makeNode } from "../ir/builder.ts";
import type { GraphNode } from "../ir/graph-node.ts";
import type { Plan } from "./session.ts";

/** The place that stores variables' values. */
interface Store {
  readonly backend: Backend;
  read(variable: SessionVariable): TypedArray;
  detach(variable: SessionVariable): void;
  check(variable: SessionVariable): void;
}

/** Variables that were loaded together and are read together. */
export interface Group {
  members: SessionVariable[];
  read?: Plan;
}

/** A tfjs variable whose value lives in a session. tfjs reads it from there; values that tfjs assigns are sent before the next run. */
export class SessionVariable implements Owner {
  readonly variable: tf.Variable;
  readonly key: string;
  readonly dtype: number;
  readonly shape: readonly number[];
  group: Group | undefined;
  #owned: Entry | undefined;
  /** Changes if the variable moves to another session. */
  store: Store;

  constructor(store: Store, variable: tf.Variable, key: string) {
    this.store = store;
    this.variable = variable;
    this.key = key;
    this.dtype = fromTfjs(variable.dtype);
    this.shape = variable.shape;
  }

  get bytes(): number {
    return sizeOf(this.shape) * widthOf(this.dtype);
  }

  /** tfjs' record of the variable's current data. */
  get entry(): Entry {
    const entry = entryOf(this.store.backend, this.variable.dataId);
    if (entry === undefined || this.variable.isDisposed)
      throw new GraphError(
        `The variable ${this.variable.name} of a compiled function was disposed; compile the function anew.`,
      );
    return entry;
  }

  /** The tfjs data whose value the session holds; tensors that share it may outlive the variable. */
  get owned(): Entry | undefined {
    return this.#owned?.owner === this ? this.#owned : undefined;
  }

  own(entry: Entry): void {
    entry.owner = this;
    this.#owned = entry;
  }

  disown(): void {
    delete this.owned?.owner;
    this.#owned = undefined;
  }

  read(): TypedArray {
    return this.store.read(this);
  }

  detach(): void {
    this.store.detach(this);
  }

  letGo(): void {
    this.#owned = undefined;
    this.store.check(this);
  }

  /** The handle by which other graphs of the session use the value. */
  handle(name: string): GraphNode {
    return handleNode(name, this, this.key);
  }
}

/** The nodes that fill a variable with one number; the last is called `name`. */
export function fillNodes(variable: SessionVariable, name: string, fill: number): GraphNode[] {
  const { dtype, shape } = variable;
  const number = dtype === DT.int32 ? Int32Array.of(fill) : Float32Array.of(fill);
  const value = constNode(`${name}/number`, dtype, [], number);
  const dims = intsConst(`${name}/shape`, shape);
  const filled = makeNode(`${name}/value`, "Fill", {
    inputs: [dims, firstOutput(value)],
    attrs: { T: attr.type(dtype), index_type: attr.type(DT.int32) },
  });
  const handle = variable.handle(`${name}/handle`);
  return [value, dims.node, filled, handle, assignNode(name, handle, firstOutput(filled), dtype)];
}
