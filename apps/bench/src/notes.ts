import { readFileSync } from "node:fs";
import { caseMatcher } from "./case-matcher.ts";
import type { Row } from "./result.ts";

/**
 * Why convkit is behind a peer in some cases, and what was tried: by the cases' names or globs, several with commas between
 * them. The first that fits a case counts.
 */
export type Notes = Readonly<Record<string, string>>;

/** The committed notes. */
export function readNotes(file: string | URL = new URL("../notes.json", import.meta.url)): Notes {
  return JSON.parse(readFileSync(file, "utf8")) as Notes;
}

/** The names and globs of a key of the notes. */
export function patternsOf(key: string): string[] {
  return key.split(",").map((pattern) => pattern.trim());
}

/** What the notes say of a case; undefined for nothing. */
export function noteOf(notes: Notes, name: string): string | undefined {
  return Object.entries(notes).find(([key]) => patternsOf(key).some((pattern) => caseMatcher(pattern)(name)))?.[1];
}

/** Whether this is a training or prediction row of convkit in float32 that a peer is ahead of. */
export function isBehind({ case: name, system, ratioToFastestPeer: ratio }: Row): boolean {
  return /^(train|predict)\//.test(name) && system === "convkit" && ratio !== null && ratio < 1;
}

/** The rows, each that is behind with its reason; a reason of before is replaced. */
export function withReasons(rows: readonly Row[], notes: Notes): Row[] {
  return rows.map((row) => {
    const { reason: _, ...others } = row;
    const reason = isBehind(row) ? noteOf(notes, row.case) : undefined;
    return { ...others, ...(reason !== undefined && { reason }) };
  });
}

/** The cases that are behind and have no reason. */
export function unexplained(rows: readonly Row[]): string[] {
  return rows.filter((row) => isBehind(row) && row.reason === undefined).map((row) => row.case);
}
