import type { IndexedDataset } from "@convkit/datasets";
import { grouped } from "../terminal/format.ts";
import type { Output } from "../terminal/output.ts";

/** What the cache of decoded images did; nothing before the first batch. */
function cacheNotes(set: IndexedDataset | undefined): string[] {
  const { decodedCache: cache, name = "" } = set ?? {};
  if (cache === undefined || cache.taken + cache.added === 0) return [];
  const { taken, added, folderBytes, limit, file, stopped } = cache;
  const use = `${name}: ${grouped(taken)} decoded images were taken from the cache and ${grouped(added)} added; it has ${grouped(folderBytes)} of at most ${grouped(limit)} bytes: ${file}`;
  return stopped === undefined ? [use] : [use, `${name}: the cache of decoded images takes no more: ${stopped}`];
}

/**
 * Returns a function that prints each skipped image, and each note of the data, once. Some images are skipped before
 * the first step, others only when they are decoded.
 */
export function dataNotes(out: Output, ...sets: readonly (IndexedDataset | undefined)[]): () => void {
  const told = new Set<string>();
  return () => {
    for (const set of sets) {
      const skipped = (set?.skipped ?? []).map(({ file, reason }) => `left out ${file}: ${reason}`);
      for (const line of [...(set?.notes ?? []), ...skipped, ...cacheNotes(set)]) {
        if (told.has(line)) continue;
        told.add(line);
        out.note(line);
      }
    }
  };
}
