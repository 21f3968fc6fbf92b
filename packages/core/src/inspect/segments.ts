import type * as tfl from "@tensorflow/tfjs-layers";
import { graphNodes } from "./model-graph.ts";
import type { GraphNode } from "./model-graph.ts";

/** The nodes on the way to a model's first output, in the order of computation, and whether every path passes through each. */
export function cutPath(
  model: tfl.LayersModel,
  nodes: readonly GraphNode[] = graphNodes(model),
): { readonly node: GraphNode; readonly isCut: boolean }[] {
  const path = wayTo(model.outputs[0]?.id, nodes);
  const lastUse = new Map<number, number>();
  path.forEach(({ inputs }, i) => inputs.forEach(({ id }) => lastUse.set(id, i)));
  // Tensors that are computed and still needed: if only a node's own output is open, the node is a cut.
  const open = new Set<number>();
  return path.map((node, i) => {
    for (const id of open) if ((lastUse.get(id) ?? -1) <= i) open.delete(id);
    const isCut = open.size === 0;
    for (const { id } of node.outputs) if (lastUse.has(id)) open.add(id);
    return { node, isCut };
  });
}

/** The nodes that a tensor depends on, in the order of computation. */
function wayTo(tensor: number | undefined, nodes: readonly GraphNode[]): GraphNode[] {
  const needed = new Set([tensor]);
  const way: GraphNode[] = [];
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some(({ id }) => needed.has(id))) continue;
    for (const { id } of node.inputs) needed.add(id);
    way.push(node);
  }
  return way.toReversed();
}

/**
 * The layers with weights of a network in the order of its depth, in groups that belong together: the stem, each block with
 * branches and what leads to it, and the head. In a network without branches each layer with its norm is a group.
 */
export function depthGroups(model: tfl.LayersModel): tfl.layers.Layer[][] {
  const segments: { layers: tfl.layers.Layer[]; hasJoin: boolean }[] = [{ layers: [], hasJoin: false }];
  for (const { node, isCut } of cutPath(model)) {
    const current = segments.at(-1)!;
    if (node.layer.weights.length > 0) current.layers.push(node.layer);
    current.hasJoin ||= node.inputs.length > 1;
    if (isCut) segments.push({ layers: [], hasJoin: false });
  }
  const filled = segments.filter(({ layers, hasJoin }) => layers.length > 0 || hasJoin);
  const [first, last] = [filled.findIndex(({ hasJoin }) => hasJoin), filled.findLastIndex(({ hasJoin }) => hasJoin)];
  const groups: tfl.layers.Layer[][] = [];
  let waiting: tfl.layers.Layer[] = [];
  for (const [index, { layers, hasJoin }] of filled.entries()) {
    if (first === -1) {
      // A norm belongs to the layer before it.
      if (layers.every(isNorm) && groups.length > 0) groups.at(-1)!.push(...layers);
      else groups.push([...layers]);
      continue;
    }
    waiting.push(...layers);
    const endsStem = index === first - 1;
    const isHead = index > last;
    if (!(endsStem || hasJoin || (isHead && index === filled.length - 1))) continue;
    groups.push(waiting);
    waiting = [];
  }
  return groups.filter((layers) => layers.length > 0).map((layers) => [...new Set(layers)]);
}

function isNorm(layer: tfl.layers.Layer): boolean {
  return layer.getClassName().includes("Norm");
}
