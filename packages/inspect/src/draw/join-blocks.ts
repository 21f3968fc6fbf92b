import { boxesOf, isBlock } from "./parts.ts";
import type { Part } from "./parts.ts";
import type { Edge } from "./boxes.ts";

/**
 * Groups the parts between two points that every path passes, if they end in a sum or a concatenation: an inception module,
 * or a residual block, in a network whose names say nothing. The block has the join's name.
 */
export function joinBlocks(units: readonly Part[], edges: readonly Edge[]): readonly Part[] {
  const place = new Map(units.flatMap((unit, i) => boxesOf(unit).map(({ id }) => [id, i] as const)));
  const links = edges.flatMap(({ from, to }) => {
    const [source, target] = [place.get(from), place.get(to)];
    return source === undefined || target === undefined || source === target ? [] : [{ source, target }];
  });
  const result: Part[] = [];
  let start = 0;
  units.forEach((unit, i) => {
    // Every path passes a part if no link jumps over it.
    if (links.some(({ source, target }) => source < i && target > i)) return;
    const between = units.slice(start, i + 1);
    start = i + 1;
    const joins = !isBlock(unit) && unit.kind === "join" && between.length > 2;
    if (joins) result.push({ title: unit.name, repeats: [unit.name], parts: between });
    else result.push(...between);
  });
  return [...result, ...units.slice(start)];
}
