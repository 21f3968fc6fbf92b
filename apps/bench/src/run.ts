import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { type Case, selectCases } from "./cases.ts";
import { commit, findGpu, machine } from "./machine.ts";
import { type MeasureOptions, measureCases } from "./measure.ts";
import { peersPython } from "./peers.ts";
import { type Result, type Row, withRatios } from "./result.ts";
import { readResult, writeResult } from "./result-files.ts";
import { resultsFolder } from "./readme-file.ts";
import { isPeer, type PeerName, peerNames, systemNames } from "./systems.ts";
import { formatTable } from "./table.ts";

/** The options of the command itself. */
export interface RunOptions {
  readonly vs?: readonly PeerName[];
  readonly quick?: boolean;
  readonly rounds?: number;
  readonly threads?: number;
  readonly json?: boolean;
  readonly out?: string;
  readonly resume?: string;
  readonly check?: boolean;
  readonly profile?: string;
  readonly roofline?: boolean;
}

/** The command itself: measures, prints, writes; interrupted, it prints what it has and leaves 130 as the exit status. */
export async function run(patterns: readonly string[], options: RunOptions): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      process.exitCode = 130;
      stop.abort();
    });
  const threads = options.threads ?? availableParallelism();
  const settings = { ...thoroughness(options), threads, signal: stop.signal, onProgress: progress };
  if (options.profile !== undefined)
    return (await import("./profile.ts")).profile(selectCases(patterns), options.profile, settings);
  if (options.roofline) return (await import("./roofline.ts")).roofline(selectCases(patterns), settings, options.json);
  if (options.check) return (await import("./guard.ts")).guard(patterns, settings, options.json);

  const chosen = present(selectCases(patterns), patterns, options.quick ?? false);
  const peers = options.vs ?? peerNames;
  const result = await measureAndKeep(chosen, {
    ...settings,
    systems: systemNames.filter((name) => !isPeer(name) || peers.includes(name)),
    python: peersPython(),
    scope: patterns.length > 0 || options.vs ? "selected" : options.quick ? "quick" : "full",
    folder: options.out ?? resultsFolder,
    resume: options.resume,
  });
  process.stdout.write(`${options.json ? JSON.stringify(result, null, 2) : formatTable(result.rows)}\n`);
}

interface Keep extends MeasureOptions {
  readonly scope: Result["scope"];
  readonly folder: string;
  /** An interrupted result whose cases are kept. */
  readonly resume: string | undefined;
}

/** Measures; writes the result anew after each group of cases, so that an interrupted run keeps what it has. */
async function measureAndKeep(chosen: readonly Case[], { scope, folder, resume, ...options }: Keep): Promise<Result> {
  const before = resume === undefined ? undefined : readResult(resume);
  const stopped = new Set(before?.rows.flatMap((row) => (row.status === "not run" ? [row.case] : [])));
  const kept =
    before?.rows.filter((row) => !stopped.has(row.case) && chosen.some(({ name }) => name === row.case)) ?? [];
  const done = new Set(kept.map((row) => row.case));
  const date = new Date().toISOString();
  const revision = commit(fileURLToPath(new URL("..", import.meta.url))) ?? null;
  const name = [date.slice(0, 16).replaceAll(/[-:]/g, "").replace("T", "-"), revision, scope].filter(Boolean).join("-");
  const order = new Map(chosen.map((each, index) => [each.name, index]));
  const rows: Row[] = [...kept];
  const versions: Record<string, string> = { ...before?.versions };
  const described = machine();
  let result: Result | undefined;
  let paths: string[] = [];
  for await (const measured of measureCases(
    chosen.filter((each) => !done.has(each.name)),
    options,
  )) {
    rows.push(...measured.rows);
    Object.assign(versions, measured.versions);
    const sorted = rows.toSorted((a, b) => order.get(a.case)! - order.get(b.case)!);
    const complete = new Set(rows.map((row) => row.case)).size === chosen.length && !options.signal?.aborted;
    result = {
      date,
      commit: revision,
      scope,
      complete,
      threads: options.threads,
      rounds: options.rounds,
      machine: described,
      versions,
      rows: withRatios(sorted),
    };
    paths = writeResult(folder, name, result);
  }
  if (result === undefined)
    throw new Error("Nothing was measured: the run was stopped before its first case, or nothing was left.");
  process.stderr.write(`${result.complete ? "Wrote" : "Stopped; what was measured is in"} ${paths.join(", ")}\n`);
  return result;
}

/** Those of the chosen cases that `--quick` takes (one that is named in full always), and the GPU's only where there is one or they were asked for. */
function present(chosen: readonly Case[], patterns: readonly string[], quick: boolean): Case[] {
  const hasGpu = findGpu() !== undefined;
  const short = quick && chosen.some((each) => each.quick);
  return chosen.filter(
    ({ name, work, quick: isQuick }) =>
      (!short || isQuick || patterns.includes(name)) && (work.device === "cpu" || hasGpu || patterns.length > 0),
  );
}

function thoroughness({
  quick,
  rounds,
}: RunOptions): Pick<MeasureOptions, "rounds" | "seconds" | "samples" | "skipCompilers"> {
  return quick
    ? { rounds: rounds ?? 1, seconds: 0.6, samples: 4, skipCompilers: true }
    : { rounds: rounds ?? 2, seconds: 1, samples: 5 };
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}
