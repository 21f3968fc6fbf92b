import { boxesOf, isBlock } from "./parts.ts";
import type { Block, Part } from "./parts.ts";
import type { Box, BoxGraph } from "./boxes.ts";

/** Which blocks are folded: those deeper than `depth`, save what `open` names, and what `fold` names. */
export interface Folding {
  readonly depth: number;
  readonly open: ReadonlySet<string>;
  readonly fold: ReadonlySet<string>;
}

export interface FoldedGraph extends BoxGraph {
  readonly parts: readonly Part[];
}

/** How many levels of blocks lie in each other. */
export function depthOf(parts: readonly Part[]): number {
  return parts.reduce((most, part) => (isBlock(part) ? Math.max(most, 1 + depthOf(part.parts)) : most), 0);
}

/** Draws each folded block as one box. */
export function foldBlocks(parts: readonly Part[], { edges }: BoxGraph, folding: Folding): FoldedGraph {
  const home = new Map<number, number>();
  const fold = (level: readonly Part[], depth: number): Part[] =>
    level.map((part) => {
      if (!isBlock(part)) return part;
      const opened = leadsTo(part, folding.open);
      if (!folding.fold.has(part.title) && (depth < folding.depth || opened))
        return { ...part, parts: fold(part.parts, depth + 1) };
      const box = foldedBox(part);
      for (const { id } of boxesOf(part)) home.set(id, box.id);
      return box;
    });
  const folded = fold(parts, 0);
  const seen = new Set<string>();
  const kept = edges.flatMap((edge) => {
    const [from, to] = [home.get(edge.from) ?? edge.from, home.get(edge.to) ?? edge.to];
    const key = `${edge.tensor}>${to}`;
    if (from === to || (seen.has(key) && home.has(edge.to))) return [];
    seen.add(key);
    return [{ ...edge, from, to }];
  });
  return { parts: folded, boxes: folded.flatMap(boxesOf), edges: kept };
}

/** True if the block, or one inside it, has one of these names. */
function leadsTo(block: Block, names: ReadonlySet<string>): boolean {
  return names.has(block.title) || block.parts.some((part) => isBlock(part) && leadsTo(part, names));
}

function foldedBox(block: Block): Box {
  const boxes = boxesOf(block);
  const [first, last] = [boxes[0] as Box, boxes.at(-1) as Box];
  const layers = boxes.reduce((sum, box) => sum + box.layers, 0);
  return {
    ...first,
    kind: "block",
    name: block.title,
    type: "block",
    text: titleOf(block),
    followers: [block.repeats.length > 1 ? `each: ${layers} layers` : `${layers} layers`],
    params: boxes.reduce((sum, { params }) => sum + params, 0),
    frozen: boxes.reduce((sum, { frozen }) => sum + frozen, 0),
    dtype: last.dtype,
    macs: boxes.reduce<number | null>((sum, { macs }) => (sum === null || macs === null ? null : sum + macs), 0),
    outputShape: last.outputShape,
    layers,
  };
}

/** `conv4_block2 to conv4_block36, 35 times`, or the block's name. */
export function titleOf({ title, repeats }: Block): string {
  return repeats.length > 1 ? `${title} to ${repeats.at(-1)}, ${repeats.length} times` : title;
}
