import { snakeCase } from "@convkit/core/internal";
import type { Box, BoxGraph, Edge } from "./boxes.ts";
import { joinBlocks } from "./join-blocks.ts";
import { boxesOf, isBlock } from "./parts.ts";
import type { Part } from "./parts.ts";

/**
 * The blocks of a network: nested models, then what the layers' names say (`4b.b3.reduce`, `conv2_block1_1`), and where
 * names say little, the branches that end in one sum or concatenation. No path leaves a block and comes back, so any block
 * can be folded.
 */
export function findBlocks({ boxes, edges }: BoxGraph): readonly Part[] {
  return scopeParts(boxes, 0, edges);
}

/** The parts of a model: a block for each call of a nested model, the others by their names. */
function scopeParts(boxes: readonly Box[], depth: number, edges: readonly Edge[]): readonly Part[] {
  const units = nestedCalls(boxes, depth).flatMap((members): Part[] => {
    const name = members[0]?.scope[depth]?.model;
    if (name === undefined) return members;
    const parts = scopeParts(members, depth + 1, edges);
    const block = { title: name, repeats: [name], parts };
    return isConvex(members, edges) ? [block] : members;
  });
  const named = nameBlocks(units, edges);
  const grouped = named.filter(isBlock).reduce((sum, block) => sum + boxesOf(block).length, 0);
  return grouped * 2 >= boxes.length ? named : joinBlocks(units, edges);
}

/** Boxes of one call of a nested model. */
function nestedCalls(boxes: readonly Box[], depth: number): Box[][] {
  const runs: Box[][] = [];
  for (const box of boxes) {
    const last = runs.at(-1);
    if (last !== undefined && last[0]?.scope[depth] === box.scope[depth]) last.push(box);
    else runs.push([box]);
  }
  return runs;
}

/** Groups parts whose names begin alike, the longest beginnings innermost. */
function nameBlocks(units: readonly Part[], edges: readonly Edge[]): readonly Part[] {
  const names = units.filter((unit) => !isBlock(unit)).map((unit) => (unit as Box).name);
  const dotted = names.filter((name) => /[./]/.test(name)).length * 2 > names.length;
  const beginnings = new Map(units.map((unit) => [unit, nameBeginnings(unit, dotted ? /[./]/g : /[./_]/g)]));
  const group = (members: readonly Part[], depth: number): readonly Part[] => {
    const buckets = new Map<string | Part, Part[]>();
    for (const unit of members) {
      const key = beginnings.get(unit)?.[depth] ?? unit;
      const bucket = buckets.get(key);
      if (bucket === undefined) buckets.set(key, [unit]);
      else bucket.push(unit);
    }
    const parts = [...buckets].flatMap(([title, bucket]): readonly Part[] => {
      if (typeof title !== "string" || bucket.length < 2) return bucket;
      const inner = group(bucket, depth + 1);
      if (inner.length < 2 || bucket.length === units.length) return inner;
      const boxes = bucket.flatMap(boxesOf);
      if (!isConvex(boxes, edges) || !isConnected(boxes, edges)) return inner;
      return [{ title, repeats: [title], parts: inner }];
    });
    return parts.toSorted((a, b) => firstId(a) - firstId(b));
  };
  return group(units, 0);
}

/** `["4b", "4b.b3", "4b.b3.reduce"]` for `4b.b3.reduce`; none for names that tfjs or Keras gave by counting. */
function nameBeginnings(unit: Part, separator: RegExp): string[] {
  if (isBlock(unit) || unit.kind === "input" || unit.kind === "output" || isCounted(unit)) return [];
  const ends = [...unit.name.matchAll(separator)].map(({ index }) => index).filter((end) => end > 0);
  return [...ends.map((end) => unit.name.slice(0, end)), unit.name];
}

function isCounted({ name, type }: Box): boolean {
  return name.replace(/_\d+$/, "") === snakeCase(type.slice(type.lastIndexOf(">") + 1));
}

function firstId(part: Part): number {
  return boxesOf(part)[0]?.id ?? 0;
}

/** False if a path leaves the boxes and comes back: folded, they would make a circle. */
function isConvex(boxes: readonly Box[], edges: readonly Edge[]): boolean {
  const inside = new Set(boxes.map(({ id }) => id));
  const reached = new Set<number>();
  // Edges lead from earlier boxes to later ones, so one pass in their readers' order finds everything behind the boxes.
  for (const { from, to } of edges.toSorted((a, b) => a.to - b.to)) {
    const leaves = inside.has(from) && !inside.has(to);
    if (!leaves && !reached.has(from)) continue;
    if (inside.has(to)) return false;
    reached.add(to);
  }
  return true;
}

function isConnected(boxes: readonly Box[], edges: readonly Edge[]): boolean {
  const inside = new Set(boxes.map(({ id }) => id));
  const own = edges.filter(({ from, to }) => inside.has(from) && inside.has(to));
  const seen = new Set([boxes[0]?.id]);
  for (let grown = true; grown;) {
    grown = false;
    for (const { from, to } of own) {
      if (seen.has(from) === seen.has(to)) continue;
      seen.add(from).add(to);
      grown = true;
    }
  }
  return seen.size === inside.size;
}
