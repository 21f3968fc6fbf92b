import type { Attr } from "../ir/attrs.ts";
import type { GraphNode, Ref } from "../ir/graph-node.ts";
import type { Rewrite } from "../ir/rewrite.ts";
import type { TypedArray } from "../values/dtypes.ts";

/** An op that tfjs requests, before it is recorded. It has one output. */
export interface OpCall {
  readonly op: string;
  readonly attrs: Record<string, Attr>;
  readonly inputs: readonly Ref[];
}

/** The part of the graph being recorded that rules may add to. */
export interface GrowingGraph {
  add(op: string, attrs: Record<string, Attr>, inputs: readonly Ref[]): GraphNode;
  constant(dtype: number, shape: readonly number[], values: TypedArray): Ref;
}

/** Recorded ops that rules look up. A node stands for its first output. */
export interface Recollection {
  /** Maps `step(x)` to `x`: a product with `step(x)` is ReLU's gradient. */
  readonly steps: ReadonlyMap<GraphNode, Ref>;
  /** Maps `x` to `relu(x)`. */
  readonly relus: ReadonlyMap<GraphNode, Ref>;
  /** Every `x`, `relu(x)` and `relu6(x)` of a ReLU or ReLU6. */
  readonly rectified: ReadonlySet<GraphNode>;
  /** Maps `x` to `leakyRelu(x)`. */
  readonly leakyRelus: ReadonlyMap<GraphNode, GraphNode>;
}

/** Replaces one op that tfjs requests while it is recorded, so that all later ops use the replacement. */
export interface PeepholeRule extends Rewrite {
  readonly ops: readonly string[];
  /** An output with the same result as the call; undefined if the rule does not apply. */
  replace(call: OpCall, graph: GrowingGraph, seen: Recollection): Ref | undefined;
}
