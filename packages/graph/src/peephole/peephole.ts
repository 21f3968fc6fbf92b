import { firstOutput } from "../ir/builder.ts";
import type { GraphNode, Ref } from "../ir/graph-node.ts";
import type { RewriteLog } from "../ir/rewrite.ts";
import { activationOfMatrix } from "./activation-of-matrix.ts";
import { batchedProductAsMatmul } from "./batched-product-as-matmul.ts";
import { biasAdd } from "./bias-add.ts";
import { biasGradient } from "./bias-gradient.ts";
import { castToOwnType } from "./cast-to-own-type.ts";
import { leakyReluGradient } from "./leaky-relu-gradient.ts";
import { reluGradient } from "./relu-gradient.ts";
import { reshapeOfReshape } from "./reshape-of-reshape.ts";
import type { GrowingGraph, OpCall, PeepholeRule, Recollection } from "./rule.ts";
import { sliceOfEverything } from "./slice-of-everything.ts";

/**
 * Rules that replace several ops of tfjs by one op of TensorFlow, or remove ops that do nothing. Grappler would find
 * some of these at the first run of each trace, but not ReLU's gradient and the batched products of dense layers.
 */
export const peepholeRules: readonly PeepholeRule[] = [
  castToOwnType,
  sliceOfEverything,
  reshapeOfReshape,
  batchedProductAsMatmul,
  biasAdd,
  activationOfMatrix,
  reluGradient,
  leakyReluGradient,
  biasGradient,
];

const byOp = new Map<string, PeepholeRule[]>();
for (const rule of peepholeRules) for (const op of rule.ops) byOp.set(op, [...(byOp.get(op) ?? []), rule]);

/** Applies the rules to the ops of one trace as they are recorded. */
export class Peephole implements Recollection {
  readonly steps = new Map<GraphNode, Ref>();
  readonly relus = new Map<GraphNode, Ref>();
  readonly rectified = new Set<GraphNode>();
  readonly leakyRelus = new Map<GraphNode, GraphNode>();
  readonly #graph: GrowingGraph;
  readonly #log: RewriteLog;

  constructor(graph: GrowingGraph, log: RewriteLog) {
    this.#graph = graph;
    this.#log = log;
  }

  /** Finds a simpler replacement for an op with one output; undefined if no rule applies. */
  replace(call: OpCall): Ref | undefined {
    for (const rule of byOp.get(call.op) ?? []) {
      const result = rule.replace(call, this.#graph, this);
      if (result === undefined) continue;
      this.#log.note(rule, call.op);
      this.#remember(call, result);
      return result;
    }
    return undefined;
  }

  /** Notes an op that was recorded unchanged. */
  recorded(node: GraphNode): void {
    this.#remember(node, firstOutput(node));
  }

  #remember({ op, inputs: [x] }: OpCall, result: Ref): void {
    if (x?.index !== 0) return;
    if (op === "Relu") this.relus.set(x.node, result);
    if (op === "Relu" || op === "Relu6") this.rectified.add(x.node).add(result.node);
    if (op === "LeakyRelu") this.leakyRelus.set(x.node, result.node);
  }
}
