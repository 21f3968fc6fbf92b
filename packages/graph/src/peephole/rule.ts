import type { Attr } from "../ir/attrs.ts";
import type { GraphNode, Ref } from "../ir/graph-node.ts";
import type { Rewrite } from "../ir/rewrite.ts";
import type { TypedArray } from "../values/dtypes.ts";

/** An op that tfjs asks for, before it is recorded. It has one output. */
export interface OpCall {
  readonly op: string;
  readonly attrs: Record<string, Attr>;
  readonly inputs: readonly Ref[];
}

/** The graph that is being recorded, as far as rules add to it. */
export interface GrowingGraph {
  add(op: string, attrs: Record<string, Attr>, inputs: readonly Ref[]): GraphNode;
  constant(dtype: number, shape: readonly number[], values: TypedArray): Ref;
}

/** What was recorded before, as far as rules look for it; each by the node whose first output it is of. */
export interface Recollection {
  /** `step(x)` to `x`: a product with it is ReLU's gradient. */
  readonly steps: ReadonlyMap<GraphNode, Ref>;
  /** `x` to `relu(x)`. */
  readonly relus: ReadonlyMap<GraphNode, Ref>;
  /** Every `x`, `relu(x)` and `relu6(x)` of a ReLU or ReLU6. */
  readonly rectified: ReadonlySet<GraphNode>;
  /** `x` to `leakyRelu(x)`. */
  readonly leakyRelus: ReadonlyMap<GraphNode, GraphNode>;
}

/** Replaces one op that tfjs asks for while it is recorded, so that all that follows is recorded on the replacement. */
export interface PeepholeRule extends Rewrite {
  readonly ops: readonly string[];
  /** What gives the same result as the call; undefined where the rule does not apply. */
  replace(call: OpCall, graph: GrowingGraph, seen: Recollection): Ref | undefined;
}
