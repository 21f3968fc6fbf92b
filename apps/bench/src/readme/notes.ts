import { readFileSync } from "node:fs";
import { caseMatcher } from "../cases/case-matcher.ts";
import type { Row } from "../results/result.ts";

/** Reasons by case name or glob, several separated by commas. The first match counts. */
export type Reasons = Readonly<Record<string, string>>;

/** Notes on slow rows: the reasons, and what was tried. */
export interface Notes {
  /** Why convkit in float32 is behind a peer. */
  readonly behind: Reasons;
  /** Why a prediction by OpenVINO or ONNX Runtime is behind a peer, which computes by the same libraries. */
  readonly runtimes: Reasons;
  /** Why bfloat16 gains little over float32. */
  readonly bfloat16: Reasons;
}

/** The committed notes. */
export function readNotes(file: string | URL = new URL("../../notes.json", import.meta.url)): Notes {
  return JSON.parse(readFileSync(file, "utf8")) as Notes;
}

/** The names and globs in a key of the notes. */
export function patternsOf(key: string): string[] {
  return key.split(",").map((pattern) => pattern.trim());
}

/** The note on a case; undefined if there is none. */
export function noteOf(notes: Reasons, name: string): string | undefined {
  return Object.entries(notes).find(([key]) => patternsOf(key).some((pattern) => caseMatcher(pattern)(name)))?.[1];
}

/** True for a training or prediction row of convkit in float32 that is slower than a peer. */
export function isBehind({ case: name, system, ratioToFastestPeer: ratio }: Row): boolean {
  return isTrainingOrPrediction(name) && system === "convkit" && ratio !== null && ratio < 1;
}

/** bfloat16 should be at least this many times as fast as float32. */
const leastGain = 1.5;

/** How many times as fast as float32 a bfloat16 row of training or prediction is; undefined for other rows. */
export function gainOf({ case: name, system, median }: Row, rows: readonly Row[]): number | undefined {
  if (system !== "convkit-bf16" || !isTrainingOrPrediction(name) || median === null) return undefined;
  const float32 = rows.find((row) => row.case === name && row.system === "convkit")?.median;
  return float32 ? float32 / median : undefined;
}

/** True for a bfloat16 row that is less than 1.5 times as fast as float32. */
export function gainsLittle(row: Row, rows: readonly Row[]): boolean {
  return (gainOf(row, rows) ?? leastGain) < leastGain;
}

/** Adds the reasons to slow rows; replaces earlier reasons. */
export function withReasons(rows: readonly Row[], notes: Notes): Row[] {
  return rows.map((row) => {
    const { reason: _, ...others } = row;
    const reason = noteOf(reasonsFor(row, rows, notes), row.case);
    return { ...others, ...(reason !== undefined && { reason }) };
  });
}

function reasonsFor(row: Row, rows: readonly Row[], notes: Notes): Reasons {
  if (!isBehind(row)) return gainsLittle(row, rows) ? notes.bfloat16 : {};
  return row.variant === "openvino" || row.variant === "onnxruntime" ? notes.runtimes : notes.behind;
}

/** Slow rows without a reason, as case and system. */
export function unexplained(rows: readonly Row[]): string[] {
  return rows
    .filter((row) => (isBehind(row) || gainsLittle(row, rows)) && row.reason === undefined)
    .map((row) => `${row.case} ${row.system}`);
}

function isTrainingOrPrediction(name: string): boolean {
  return /^(train|predict)\//.test(name);
}
