import { readFileSync } from "node:fs";
import type { Row } from "./result.ts";

/** Why convkit is behind a peer in a case, and what was tried, by the case's name. */
export type Notes = Readonly<Record<string, string>>;

/** The committed notes. */
export function readNotes(file: string | URL = new URL("../notes.json", import.meta.url)): Notes {
  return JSON.parse(readFileSync(file, "utf8")) as Notes;
}

/** Whether this is a training or prediction row of convkit in float32 that a peer is ahead of. */
export function isBehind({ case: name, system, ratioToFastestPeer: ratio }: Row): boolean {
  return /^(train|predict)\//.test(name) && system === "convkit" && ratio !== null && ratio < 1;
}

/** The rows, each that is behind with its note; a row that has it already stays as it is. */
export function withNotes(rows: readonly Row[], notes: Notes): Row[] {
  return rows.map((row) => {
    const known = isBehind(row) ? notes[row.case] : undefined;
    if (known === undefined || row.note.includes(known)) return row;
    return { ...row, note: [row.note, known].filter(Boolean).join("; ") };
  });
}

/** The cases that are behind and have no note. */
export function unexplained(rows: readonly Row[], notes: Notes): string[] {
  return rows.filter((row) => isBehind(row) && notes[row.case] === undefined).map((row) => row.case);
}
