import { boxesOf, isBlock } from "./parts.ts";
import type { Block, Part } from "./parts.ts";
import type { BoxGraph, Edge } from "./boxes.ts";

/** Draws equal blocks in a row once: ResNet-152 has 35 in its fourth stage. */
export function joinRepeats(parts: readonly Part[], graph: BoxGraph): { parts: readonly Part[]; graph: BoxGraph } {
  const moved = new Map<number, number>();
  const gone = new Set<number>();
  const shorten = (level: readonly Part[]): Part[] => {
    const result: Part[] = [];
    let last: Block | undefined;
    for (const part of level) {
      const head = result.at(-1);
      if (
        isBlock(part) &&
        last !== undefined &&
        head !== undefined &&
        isBlock(head) &&
        repeats(last, part, graph.edges)
      ) {
        result[result.length - 1] = { ...head, repeats: [...head.repeats, part.title] };
        const [first, again] = [boxesOf(head), boxesOf(part)];
        again.forEach(({ id }, i) => {
          gone.add(id);
          moved.set(id, first[i]?.id ?? id);
        });
      } else result.push(part);
      last = isBlock(part) ? part : undefined;
    }
    return result.map((part) => (isBlock(part) ? { ...part, parts: shorten(part.parts) } : part));
  };
  const short = shorten(parts);
  const edges = graph.edges
    .filter(({ to }) => !gone.has(to))
    .map((edge) => ({ ...edge, from: moved.get(edge.from) ?? edge.from }));
  return { parts: short, graph: { boxes: graph.boxes.filter(({ id }) => !gone.has(id)), edges } };
}

/** True if the second block computes what the first does, from the first one's result alone, and nothing else reads that. */
function repeats(first: Block, second: Block, edges: readonly Edge[]): boolean {
  const [a, b] = [boxesOf(first), boxesOf(second)];
  if (a.length !== b.length || a.some((box, i) => box.signature !== b[i]?.signature)) return false;
  const [inA, inB] = [new Map(a.map(({ id }, i) => [id, i])), new Map(b.map(({ id }, i) => [id, i]))];
  const inner = (own: ReadonlyMap<number, number>): string =>
    edges
      .filter(({ from, to }) => own.has(from) && own.has(to))
      .map(({ from, output, to }) => `${own.get(from)}:${output}>${own.get(to)}`)
      .join();
  const readers = (own: ReadonlyMap<number, number>): string =>
    edges
      .filter(({ from, to }) => !own.has(from) && own.has(to))
      .map(({ to }) => own.get(to))
      .join();
  const leaving = (own: ReadonlyMap<number, number>): readonly Edge[] =>
    edges.filter(({ from, to }) => own.has(from) && !own.has(to));
  const out = (own: ReadonlyMap<number, number>): string =>
    [...new Set(leaving(own).map(({ from, output }) => `${own.get(from)}:${output}`))].join();
  return (
    inner(inA) === inner(inB) &&
    readers(inA) === readers(inB) &&
    out(inA) === out(inB) &&
    leaving(inA).every(({ to }) => inB.has(to)) &&
    edges.every(({ from, to }) => !inB.has(to) || inB.has(from) || inA.has(from))
  );
}
