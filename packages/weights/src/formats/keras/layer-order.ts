import type { KerasLayer } from "./graph.ts";
import type { TensorReference } from "./config.ts";

/**
 * Sorts layers as Keras does in a functional model: by distance from the outputs, and layers at the same distance by
 * when a walk from the outputs first reaches them. The order decides the paths in a `.weights.h5`, so it must match
 * Keras. Source: keras/src/ops/function.py, map_graph.
 */
export function layerOrder(
  layers: readonly KerasLayer[],
  inputs: readonly TensorReference[],
  outputs: readonly TensorReference[],
): KerasLayer[] {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const firstMet = new Map<string, number>();
  const finished = new Set<string>();
  const nodes: { key: string; layer: string; parents: string[] }[] = [];
  const keyOf = ({ layer, call }: TensorReference): string => `${call}/${layer}`;

  // The walk is as deep as the network, so use an explicit stack instead of recursion.
  for (const output of outputs) {
    const stack: { reference: TensorReference; next: number }[] = [{ reference: output, next: 0 }];
    while (stack.length > 0) {
      const frame = stack.at(-1)!;
      const { layer, call } = frame.reference;
      const key = keyOf(frame.reference);
      if (finished.has(key)) {
        stack.pop();
        continue;
      }
      if (!firstMet.has(layer)) firstMet.set(layer, firstMet.size);
      const parents = byName.get(layer)?.calls[call] ?? [];
      const parent = parents[frame.next++];
      if (parent !== undefined) {
        if (!finished.has(keyOf(parent))) stack.push({ reference: parent, next: 0 });
        continue;
      }
      finished.add(key);
      nodes.push({ key, layer, parents: parents.map(keyOf) });
      stack.pop();
    }
  }

  const nodeDepths = new Map<string, number>();
  const layerDepths = new Map<string, number>();
  for (const { key, layer, parents } of nodes.toReversed()) {
    const depth = Math.max(nodeDepths.get(key) ?? 0, layerDepths.get(layer) ?? 0);
    layerDepths.set(layer, depth);
    nodeDepths.set(key, depth);
    for (const parent of parents) nodeDepths.set(parent, Math.max(depth + 1, nodeDepths.get(parent) ?? 0));
  }
  for (const { layer } of inputs) {
    if (!layerDepths.has(layer)) {
      layerDepths.set(layer, 0);
      firstMet.set(layer, -1);
    }
  }
  return [...layerDepths.keys()]
    .toSorted((a, b) => layerDepths.get(b)! - layerDepths.get(a)! || firstMet.get(a)! - firstMet.get(b)!)
    .map((name) => byName.get(name)!);
}
