import type { Box, BoxGraph } from "./boxes.ts";
import { follows } from "./layer-kinds.ts";

/**
 * Draws a norm, an activation or a dropout as a further line of the box before it, where nothing else reads that box's
 * output.
 */
export function mergeFollowers({ boxes, edges }: BoxGraph): BoxGraph {
  const home = new Map<number, number>();
  const merged = new Map<number, Box>(boxes.map((box) => [box.id, box]));
  const readers = new Map<number, number>();
  for (const { from } of edges) readers.set(from, (readers.get(from) ?? 0) + 1);
  for (const box of boxes) {
    const sources = edges.filter(({ to }) => to === box.id);
    const [source] = sources;
    if (source === undefined || sources.length > 1 || !follows(box.kind) || readers.get(source.from) !== 1) continue;
    const target = home.get(source.from) ?? source.from;
    const head = merged.get(target) as Box;
    if (head.kind === "input" || head.scope.at(-1) !== box.scope.at(-1)) continue;
    home.set(box.id, target);
    merged.delete(box.id);
    merged.set(target, {
      ...head,
      followers: [...head.followers, box.text],
      params: head.params + box.params,
      frozen: head.frozen + box.frozen,
      dtype: box.dtype,
      macs: head.macs === null || box.macs === null ? null : head.macs + box.macs,
      outputShape: box.outputShape,
      signature: `${head.signature} ${box.signature}`,
      layers: head.layers + 1,
    });
  }
  const place = (id: number): number => home.get(id) ?? id;
  return {
    boxes: boxes.flatMap(({ id }) => merged.get(id) ?? []),
    edges: edges
      .map((edge) => ({ ...edge, from: place(edge.from), to: place(edge.to) }))
      .filter(({ from, to }) => from !== to),
  };
}
