import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cpuSeconds } from "./memory.ts";
import type { Finding, Report, Task, Verdict } from "./subject.ts";

/** What became of the mutants. */
export interface Outcome {
  readonly counts: Readonly<Record<string, Readonly<Partial<Record<Verdict, number>>>>>;
  /** The mutants that were taken badly. */
  readonly findings: readonly Finding[];
  /** What kept a subject from being tried. */
  readonly problem: string | undefined;
}

export interface CampaignOptions {
  readonly seed?: number;
  /** Minutes after which no further mutant is read; no limit by default. */
  readonly minutes?: number;
  /** Called with each mutant once it was read. */
  readonly onMutant?: ((mutant: Finding) => void) | undefined;
}

/** Seconds of the processor that a mutant may take, and seconds without progress after which it counts as deaf. */
const [cpuLimit, wallLimit] = [5, 120];
const worker = fileURLToPath(new URL("worker.ts", import.meta.url));

/** Reads mutants in child processes, one after the other: where a mutant ends a process or hangs, the next process goes on behind it. */
export async function campaign(
  tasks: readonly Task[],
  { seed = 1, minutes = Infinity, onMutant }: CampaignOptions = {},
): Promise<Outcome> {
  const deadline = performance.now() + minutes * 60_000;
  const counts: Record<string, Partial<Record<Verdict, number>>> = {};
  const findings: Finding[] = [];
  for (let left = tasks; left.length > 0 && performance.now() < deadline;) {
    const { done, problem } = await someMutants(left, { seed, deadline, onMutant });
    for (const mutant of done) {
      const { subject, verdict } = mutant;
      counts[subject] = { ...counts[subject], [verdict]: (counts[subject]?.[verdict] ?? 0) + 1 };
      if (verdict !== "read" && verdict !== "refused") findings.push(mutant);
    }
    if (problem !== undefined) return { counts, findings, problem };
    left = tasksBehind(left, done.at(-1));
  }
  return { counts, findings, problem: undefined };
}

/** The tasks that are left once a mutant was read. */
function tasksBehind(tasks: readonly Task[], last: Finding | undefined): readonly Task[] {
  if (last === undefined) return [];
  const place = tasks.findIndex(({ name }) => name === last.subject);
  const { name, from, count } = tasks[place]!;
  const done = last.index + 1 - from;
  const rest = count > done ? [{ name, from: last.index + 1, count: count - done }] : [];
  return [...rest, ...tasks.slice(place + 1)];
}

/** One child process, until it is done or a mutant ends it. */
async function someMutants(
  tasks: readonly Task[],
  {
    seed,
    deadline,
    onMutant,
  }: Pick<CampaignOptions, "onMutant"> & { readonly seed: number; readonly deadline: number },
): Promise<{ readonly done: readonly Finding[]; readonly problem: string | undefined }> {
  const folder = mkdtempSync(join(tmpdir(), "convkit-mutants-"));
  const child = fork(worker, [String(seed), folder, JSON.stringify(tasks)], {
    execArgv: ["--import", import.meta.resolve("tsx")],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let words = "";
  child.stderr!.on("data", (text) => (words = `${words}${String(text)}`.slice(-2_000)));
  const done: Finding[] = [];
  let current: { subject: string; index: number; file: string; cpu: number; began: number } | undefined;
  let finished: { readonly reason: string | undefined } | undefined;
  let wasKilled = false;
  const end = (verdict: Verdict, message: string): void => {
    const { subject, index, file } = current!;
    const mutant: Finding = { subject, seed, index, file, verdict, message };
    done.push(mutant);
    onMutant?.(mutant);
    current = undefined;
  };
  child.on("message", (report: Report) => {
    if (finished !== undefined) return;
    if (report.kind === "finished") finished = report;
    else if (report.kind === "begin") current = { ...report, cpu: cpuSeconds(child.pid!), began: performance.now() };
    else end(report.verdict, report.message);
    if (current !== undefined || performance.now() < deadline) return;
    finished = { reason: undefined };
    child.kill("SIGKILL");
  });
  const watch = setInterval(() => {
    if (current === undefined) return;
    const isSlow = cpuSeconds(child.pid!) - current.cpu > cpuLimit;
    if (!isSlow && performance.now() - current.began < wallLimit * 1000) return;
    wasKilled = true;
    child.kill("SIGKILL");
  }, 200);
  const ending = await ended(child);
  clearInterval(watch);
  rmSync(folder, { recursive: true, force: true });
  if (current !== undefined) {
    end(wasKilled ? "hang" : "crash", `${ending} ${words}`);
    return { done, problem: undefined };
  }
  return {
    done,
    problem: finished === undefined ? `the worker ended by itself (${ending}): ${words}` : finished.reason,
  };
}

function ended(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => void child.on("close", (status, signal) => resolve(String(signal ?? status))));
}
