import type { GraphNode, Ref } from "../ir/graph-node.ts";
import type { Changes, Rewrite } from "../ir/rewrite.ts";
import type { TracedVariable } from "../trace/traced-variable.ts";

/** What decides which passes run. */
export interface PassOptions {
  readonly precision: "float32" | "bfloat16" | "float16";
  /** Variables become constants. */
  readonly freeze: boolean;
  /** Only what eager tfjs computes, in its order. */
  readonly exact: boolean;
  readonly isUsingGpu: boolean;
  /** Fused ReLUs of this TensorFlow turn NaN into 0. */
  readonly losesNan: boolean;
}

/** A recorded function. Passes change its nodes in place. */
export interface PassGraph {
  /** What the function returns. */
  readonly outputs: readonly { ref: Ref }[];
  /** The nodes that write variables, in order. */
  readonly writes: readonly GraphNode[];
  readonly variables: Iterable<TracedVariable>;
  /** Whether a run that fails has written no variable. */
  isSafe: boolean;
}

/** Changes a whole graph after it was recorded. */
export interface Pass extends Rewrite {
  when(options: PassOptions): boolean;
  run(graph: PassGraph, options: PassOptions): Changes;
}

/** The nodes that a graph is for: all else exists because these need it. */
export function rootsOf({ outputs, writes }: PassGraph): GraphNode[] {
  return [...outputs.map(({ ref }) => ref.node), ...writes];
}
