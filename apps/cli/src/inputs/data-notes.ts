import type { IndexedDataset } from "@convkit/datasets";
import type { Output } from "../terminal/output.ts";

/**
 * Returns a function that prints each skipped image, and each note of the data, once. Some images are skipped before
 * the first step, others only when they are decoded.
 */
export function dataNotes(out: Output, ...sets: readonly (IndexedDataset | undefined)[]): () => void {
  const told = new Set<string>();
  return () => {
    for (const set of sets) {
      const skipped = (set?.skipped ?? []).map(({ file, reason }) => `left out ${file}: ${reason}`);
      for (const line of [...(set?.notes ?? []), ...skipped]) {
        if (told.has(line)) continue;
        told.add(line);
        out.note(line);
      }
    }
  };
}
