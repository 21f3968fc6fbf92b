import { accessSync, constants, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "@convkit/files";
import { chartSvg } from "./chart.ts";
import { formatCsv } from "./csv.ts";
import type { Result, Row } from "./result.ts";
import { BenchError } from "../usage-error.ts";

/** Makes a folder for output. Throws if it is not writable. */
export function prepareFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    const reason = (error as Error).message;
    throw new BenchError(`Nothing can be written to ${folder}: ${reason}.`, { cause: error });
  }
}

/** Writes `<name>.json` and `.csv`, and `.svg` and `-dark.svg` if there is something to draw. Returns the paths. */
export async function writeResult(folder: string, name: string, result: Result): Promise<string[]> {
  const files: [string, string][] = [
    [`${name}.json`, `${JSON.stringify(result, null, 2)}\n`],
    [`${name}.csv`, formatCsv(result.rows)],
  ];
  const light = chartSvg(result, "light");
  const dark = chartSvg(result, "dark");
  if (light !== undefined && dark !== undefined) files.push([`${name}.svg`, light], [`${name}-dark.svg`, dark]);
  for (const [file, text] of files) await writeFileAtomic(join(folder, file), text);
  return files.map(([file]) => join(folder, file));
}

/** Reads a result file. Throws if the file is not a result. */
export function readResult(path: string): Result {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new BenchError(`${path} is not a benchmark result: ${(error as Error).message}.`, { cause: error });
  }
  const { rows, machine } = (value ?? {}) as Partial<Result>;
  if (!Array.isArray(rows) || machine === undefined)
    throw new BenchError(`${path} is not a benchmark result: it has no rows and machine.`);
  const damaged = rows.findIndex((row) => !isRow(row));
  if (damaged >= 0)
    throw new BenchError(
      `${path} is damaged: row ${damaged + 1} of ${rows.length} has not the case, system, status, note and numbers of a row.`,
    );
  return value as Result;
}

/** True if a row has the fields of every version, and has either all of its numbers or none. */
function isRow(value: unknown): boolean {
  const { median, p10, p90, ratioToFastestPeer, ...row } = (value ?? {}) as Partial<Row>;
  const numbers = [median, p10, p90];
  return (
    [row.case, row.system, row.status, row.note].every((text) => typeof text === "string") &&
    (numbers.every((number) => number === null) || numbers.every((number) => Number.isFinite(number))) &&
    (ratioToFastestPeer === null || Number.isFinite(ratioToFastestPeer))
  );
}

/** The newest complete result of all cases in a folder, without its extension; undefined if there is none. */
export function newestResult(folder: string): { name: string; result: Result } | undefined {
  const found = list(folder)
    .filter((file) => file.endsWith(".json"))
    .map((file) => ({ name: file.slice(0, -".json".length), result: readResult(join(folder, file)) }))
    .filter(({ result }) => result.complete && result.scope === "full");
  return found.toSorted((a, b) => b.result.date.localeCompare(a.result.date))[0];
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
