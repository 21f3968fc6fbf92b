import type { DataSplits, IndexedDataset } from "@convkit/datasets";
import type { Output } from "../terminal/output.ts";

/** A function that tells of each image that was left out, once: some are known before the first step, others when they are decoded. */
export function leftOutNotes(out: Output, { train, validation, test }: DataSplits<IndexedDataset>): () => void {
  const told = new Set<string>();
  return () => {
    for (const { file, reason } of [train, validation, test].flatMap((set) => set?.skipped ?? [])) {
      if (told.has(file)) continue;
      told.add(file);
      out.note(`left out ${file}: ${reason}`);
    }
  };
}
