import type { GraphNode, Ref } from "../ir/graph-node.ts";
import type { Changes, Rewrite } from "../ir/rewrite.ts";
import type { TracedVariable } from "../trace/traced-variable.ts";

/** The settings that decide which passes run. */
export interface PassOptions {
  readonly precision: "float32" | "bfloat16" | "float16";
  /** True if variables become constants. */
  readonly freeze: boolean;
  /** True if the graph must compute exactly as eager tfjs, in the same order. */
  readonly exact: boolean;
  readonly isUsingGpu: boolean;
  /** True if the fused ReLU of this TensorFlow turns NaN into 0. */
  readonly losesNan: boolean;
}

/** A recorded function. Passes change the nodes in place. */
export interface PassGraph {
  /** The outputs of the function. */
  readonly outputs: readonly { ref: Ref }[];
  /** The nodes that write variables, in order. */
  readonly writes: readonly GraphNode[];
  readonly variables: Iterable<TracedVariable>;
  /** True if a failing run has written no variable. */
  isSafe: boolean;
}

/** A change of a whole graph after recording. */
export interface Pass extends Rewrite {
  when(options: PassOptions): boolean;
  run(graph: PassGraph, options: PassOptions): Changes;
}

/** The nodes that the graph is run for; all other nodes are their inputs. */
export function rootsOf({ outputs, writes }: PassGraph): GraphNode[] {
  return [...outputs.map(({ ref }) => ref.node), ...writes];
}
