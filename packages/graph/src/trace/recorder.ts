import type * as tf from "@tensorflow/tfjs-core";
import type { GraphNode, Ref } from "../ir/graph-node.ts";
import type { Backend } from "../tfjs/backend.ts";
import type { TypedArray } from "../values/dtypes.ts";

/** A variable as the rest of a trace sees it. */
export interface KnownVariable {
  /** The node that other nodes read and write the variable by. */
  readonly handle: GraphNode;
  /** A tensor with the variable's value from before the trace. */
  readonly original: tf.Tensor;
}

/** The interface that a trace offers to its parts: variables, rules and constant values. */
export interface Recorder {
  readonly backend: Backend;
  readonly variables: ReadonlyMap<tf.Variable, KnownVariable>;
  /** All nodes that write a variable, in order. */
  readonly writes: GraphNode[];
  /** True once the function has returned: later writes are not visible in JavaScript. */
  readonly finishing: boolean;
  /** Adds a node; TensorFlow infers the types and shapes of its outputs. */
  add(op: string, attrs: GraphNode["attrs"], inputs: readonly Ref[], control?: readonly GraphNode[]): GraphNode;
  /** A node name that is not taken. */
  uniqueName(base: string): string;
  constant(dtype: number, shape: readonly number[], values: TypedArray): Ref;
  /** The node output that gives a tensor's value. */
  ref(tensor: tf.TensorInfo): Ref;
  /** A node output as a tfjs tensor. */
  tensor(ref: Ref): tf.Tensor;
}
