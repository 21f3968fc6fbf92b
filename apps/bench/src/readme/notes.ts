import { readFileSync } from "node:fs";
import { caseMatcher } from "../cases/case-matcher.ts";
import type { Row } from "../results/result.ts";

/** Reasons by the cases' names or globs, several with commas between them. The first that fits a case counts. */
export type Reasons = Readonly<Record<string, string>>;

/** The remarks on rows that fall short: reasons, and what was tried. */
export interface Notes {
  /** Why convkit in float32 is behind a peer. */
  readonly behind: Reasons;
  /** Why bfloat16 gains little over float32. */
  readonly bfloat16: Reasons;
}

/** The committed notes. */
export function readNotes(file: string | URL = new URL("../../notes.json", import.meta.url)): Notes {
  return JSON.parse(readFileSync(file, "utf8")) as Notes;
}

/** The names and globs of a key of the notes. */
export function patternsOf(key: string): string[] {
  return key.split(",").map((pattern) => pattern.trim());
}

/** What the notes say of a case; undefined for nothing. */
export function noteOf(notes: Reasons, name: string): string | undefined {
  return Object.entries(notes).find(([key]) => patternsOf(key).some((pattern) => caseMatcher(pattern)(name)))?.[1];
}

/** Whether this is a training or prediction row of convkit in float32 that a peer is ahead of. */
export function isBehind({ case: name, system, ratioToFastestPeer: ratio }: Row): boolean {
  return isTrainingOrPrediction(name) && system === "convkit" && ratio !== null && ratio < 1;
}

/** So many times float32's speed is bfloat16 to have. */
const leastGain = 1.5;

/** How many times as fast as float32 a training or prediction row of bfloat16 is; undefined for other rows. */
export function gainOf({ case: name, system, median }: Row, rows: readonly Row[]): number | undefined {
  if (system !== "convkit-bf16" || !isTrainingOrPrediction(name) || median === null) return undefined;
  const float32 = rows.find((row) => row.case === name && row.system === "convkit")?.median;
  return float32 ? float32 / median : undefined;
}

/** Whether this is a row of bfloat16 that is less than 1.5 times as fast as float32. */
export function gainsLittle(row: Row, rows: readonly Row[]): boolean {
  return (gainOf(row, rows) ?? leastGain) < leastGain;
}

/** The rows, each that falls short with its reason; a reason of before is replaced. */
export function withReasons(rows: readonly Row[], notes: Notes): Row[] {
  return rows.map((row) => {
    const { reason: _, ...others } = row;
    const reasons = isBehind(row) ? notes.behind : gainsLittle(row, rows) ? notes.bfloat16 : {};
    const reason = noteOf(reasons, row.case);
    return { ...others, ...(reason !== undefined && { reason }) };
  });
}

/** The rows that fall short and have no reason: case and system. */
export function unexplained(rows: readonly Row[]): string[] {
  return rows
    .filter((row) => (isBehind(row) || gainsLittle(row, rows)) && row.reason === undefined)
    .map((row) => `${row.case} ${row.system}`);
}

function isTrainingOrPrediction(name: string): boolean {
  return /^(train|predict)\//.test(name);
}
