import type { IndexedDataset } from "@convkit/datasets";
import type { Output } from "../terminal/output.ts";

/** Returns a function that notes each skipped image once. Some are known before the first step, others only when they are decoded. */
export function skippedNotes(out: Output, ...sets: readonly (IndexedDataset | undefined)[]): () => void {
  const noted = new Set<string>();
  return () => {
    for (const { file, reason } of sets.flatMap((set) => set?.skipped ?? [])) {
      if (noted.has(file)) continue;
      noted.add(file);
      out.note(`left out ${file}: ${reason}`);
    }
  };
}
