import { fileURLToPath } from "node:url";
import type { Case } from "../cases/cases.ts";
import { groupBy } from "../results/group-by.ts";
import { commit, machine } from "../results/machine.ts";
import { type MeasureOptions, measureCases } from "../measure/measure.ts";
import { readNotes, withReasons } from "../readme/notes.ts";
import { type Result, type Row, withRatios } from "../results/result.ts";
import { prepareFolder, readResult, writeResult } from "../results/files.ts";
import { BenchError } from "../usage-error.ts";

/** The cases to measure, and the files to write. */
export interface KeepOptions extends MeasureOptions {
  readonly scope: Result["scope"];
  readonly folder: string;
  /** An interrupted result to continue: its measured cases are kept. */
  readonly resume?: string | undefined;
}

/** Measures the cases. Writes the result after each round of a group, so that an interrupted run keeps its rows. */
export async function measureAndKeep(
  chosen: readonly Case[],
  { scope, folder, resume, ...options }: KeepOptions,
): Promise<Result> {
  prepareFolder(folder);
  const described = machine();
  const revision = commit(fileURLToPath(new URL("../..", import.meta.url))) ?? null;
  const before = resume === undefined ? undefined : readResult(resume);
  if (before !== undefined)
    checkSame(resume!, before, { machine: described, commit: revision, scope, threads: options.threads });
  const stopped = new Set(before?.rows.flatMap((row) => (row.status === "not run" ? [row.case] : [])));
  const kept =
    before?.rows.filter((row) => !stopped.has(row.case) && chosen.some(({ name }) => name === row.case)) ?? [];
  const done = new Set(kept.map((row) => row.case));
  const date = new Date().toISOString();
  const name = [date.slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-"), revision, scope].filter(Boolean).join("-");
  const order = new Map(chosen.map((each, index) => [each.name, index]));
  const rows = new Map<string, readonly Row[]>(groupBy(kept, (row) => row.case));
  const versions: Record<string, string> = { ...before?.versions };
  const notes = readNotes();
  let result: Result | undefined;
  let paths: string[] = [];
  for await (const measured of measureCases(
    chosen.filter((each) => !done.has(each.name)),
    options,
  )) {
    for (const [name, mine] of groupBy(measured.rows, (row) => row.case)) rows.set(name, mine);
    Object.assign(versions, measured.versions);
    const sorted = [...rows.values()].flat().toSorted((a, b) => order.get(a.case)! - order.get(b.case)!);
    const complete = rows.size === chosen.length && sorted.every(({ status }) => status !== "not run");
    result = {
      date,
      commit: revision,
      scope,
      complete,
      threads: options.threads,
      rounds: options.rounds,
      machine: described,
      versions,
      rows: withReasons(withRatios(sorted), notes),
    };
    paths = await writeResult(folder, name, result);
  }
  if (result === undefined)
    throw new BenchError("Nothing was measured: the run was stopped before its first case, or nothing was left.");
  options.onProgress?.(`${result.complete ? "Wrote" : "Stopped; what was measured is in"} ${paths.join(", ")}`);
  return result;
}

type Circumstances = Pick<Result, "machine" | "commit" | "scope" | "threads">;

/** Throws if the earlier rows were measured under other conditions. */
function checkSame(file: string, before: Circumstances, now: Circumstances): void {
  const names = ["machine", "commit", "scope", "threads"] as const;
  const different = names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]));
  if (different.length === 0) return;
  const list = different.map(
    (name) => `${name} ${JSON.stringify(before[name])}, this run's is ${JSON.stringify(now[name])}`,
  );
  throw new BenchError(`${file} cannot resume: it was measured under other conditions: ${list.join("; ")}.`);
}
