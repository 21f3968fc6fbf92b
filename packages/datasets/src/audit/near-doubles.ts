import { hashDistance } from "./image-measures.ts";

/**
 * Pairs of hashes with at most `most` different bits. Two such hashes are equal in one of `most + 1` parts, so that only
 * hashes with an equal part are compared.
 */
export function nearPairs(hashes: readonly Uint32Array[], most: number): [a: number, b: number][] {
  const bits = 128;
  const found = new Map<string, [number, number]>();
  for (let part = 0; part <= most; part++) {
    const [from, to] = [Math.floor((part * bits) / (most + 1)), Math.floor(((part + 1) * bits) / (most + 1))];
    const groups = new Map<string, number[]>();
    for (const [place, hash] of hashes.entries()) {
      const key = bitsOf(hash, from, to);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [place]);
      else {
        for (const other of group)
          if (hashDistance(hashes[other]!, hash) <= most) found.set(`${other},${place}`, [other, place]);
        group.push(place);
      }
    }
  }
  return [...found.values()].toSorted(([a, b], [c, d]) => a - c || b - d);
}

function bitsOf(hash: Uint32Array, from: number, to: number): string {
  let text = "";
  for (let bit = from; bit < to; bit++) text += (hash[bit >> 5]! >>> (bit & 31)) & 1;
  return text;
}

/** Groups of places that are joined by pairs, each in order. */
export function groupsOf(pairs: readonly (readonly [number, number])[]): number[][] {
  const parent = new Map<number, number>();
  const rootOf = (place: number): number => {
    let root = place;
    while (parent.has(root) && parent.get(root) !== root) root = parent.get(root)!;
    return root;
  };
  for (const [a, b] of pairs) {
    const [first, second] = [rootOf(a), rootOf(b)];
    parent.set(Math.max(first, second), Math.min(first, second));
    for (const place of [a, b]) if (!parent.has(place)) parent.set(place, Math.min(first, second));
  }
  const groups = new Map<number, Set<number>>();
  for (const place of pairs.flat()) {
    const root = rootOf(place);
    groups.set(root, (groups.get(root) ?? new Set()).add(place));
  }
  return [...groups.values()].map((group) => [...group].toSorted((a, b) => a - b)).toSorted((a, b) => a[0]! - b[0]!);
}
