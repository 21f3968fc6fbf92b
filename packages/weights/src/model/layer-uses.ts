import { graphNodes } from "@convkit/core";
import type { GraphNode } from "@convkit/core";
import type * as tfl from "@tensorflow/tfjs-layers";

/** The uses of a model's layers. A sequential model keeps them in an inner functional model. */
export function usesOf(model: tfl.LayersModel): GraphNode[] {
  if (model.getClassName() !== "Sequential") return graphNodes(model);
  const row = model as tfl.LayersModel & { model?: tfl.LayersModel };
  if (row.model == null) row.build(row.inputs[0]!.shape);
  return graphNodes(row.model!);
}

/** Sorts uses of layers so that each follows the uses that feed it. (tfjs lists a shared layer's uses together.) */
export function inOrder(nodes: readonly GraphNode[]): GraphNode[] {
  const known = new Set<number>();
  const made = new Set(nodes.flatMap(({ outputs }) => outputs.map(({ id }) => id)));
  const ordered: GraphNode[] = [];
  for (let waiting = nodes; waiting.length > 0;) {
    const left = waiting.filter((node) => {
      if (!node.inputs.every(({ id }) => known.has(id) || !made.has(id))) return true;
      for (const { id } of node.outputs) known.add(id);
      ordered.push(node);
      return false;
    });
    if (left.length === waiting.length) return [...ordered, ...left];
    waiting = left;
  }
  return ordered;
}
