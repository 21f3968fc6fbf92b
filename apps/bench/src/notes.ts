import type { Row } from "./result.ts";

/** What is known of cases where convkit is behind a peer: why, and what was tried. */
const notes: Readonly<Record<string, string>> = {
  "train/lenet5-b32": "Keras' steps_per_execution runs 20 steps in one call, convkit makes one call a step",
};

/** The rows, with what is known of those where convkit's float32 is behind. */
export function withNotes(rows: readonly Row[]): Row[] {
  return rows.map((row) => {
    const known = notes[row.case];
    const behind = row.system === "convkit" && row.ratioToFastestPeer !== null && row.ratioToFastestPeer < 1;
    return known !== undefined && behind ? { ...row, note: [row.note, known].filter(Boolean).join("; ") } : row;
  });
}
