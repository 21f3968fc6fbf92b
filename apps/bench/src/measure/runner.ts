import type { Case, Precision, Work } from "../cases/cases.ts";
import type { Reply } from "../drivers/protocol.ts";
import { type Command, Driver, DriverError } from "./driver-process.ts";
import { groupBy } from "../results/group-by.ts";
import { Jury } from "./reference-vote.ts";
import { networks } from "../cases/networks.ts";
import { OtherLoad } from "./other-load.ts";
import type { ProfileSummary } from "../profile/summary.ts";
import { request } from "./request.ts";
import type { Status } from "../results/result.ts";
import { quantile } from "../results/statistics.ts";
import { type SystemName, systems } from "../cases/systems.ts";

/** The measurements of a variant for a case so far. */
interface Readings {
  readonly samples: number[];
  /** Largest resident set of each process, in 10^6 bytes. */
  readonly peaks: number[];
  /** Shares of the machine that other processes used. */
  readonly loads: number[];
  status: Status;
  note: string;
  /** True if the variant is too slow to run in later rounds. */
  dropped: boolean;
  /** Seconds that the work took in the last round, and in total. */
  lastSeconds: number;
  seconds: number;
  profile: ProfileSummary | undefined;
}

/** One variant of a system in one group of cases. */
export interface Runner {
  readonly system: SystemName;
  readonly variant: string;
  /** Readings by the case's name. */
  readonly readings: ReadonlyMap<string, Readings>;
  /** Seconds from the start of the last process to its first answer. */
  startSeconds: number;
  /** Earlier rejected, now accepted: needs timing. */
  isReopened: boolean;
}

/** The inputs of a runner's turn. */
export interface Turn {
  readonly threads: number;
  readonly seconds: number;
  readonly samples: number;
  readonly command: (system: SystemName) => Command | undefined;
  /** The jury for each kind of work in the group. */
  readonly juries: Map<string, Jury<Runner>>;
  readonly versions: Record<string, string>;
  /** Where the group's data is. */
  readonly folder: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** The systems that run first in a group, in order. The others must match their answers, unless they outvote them. */
const referenceOrder: readonly SystemName[] = [
  "keras",
  "torch",
  "onnxruntime",
  "openvino",
  "tfjs-node",
  "convkit",
  "convkit-bf16",
  "convkit-wasm",
  "tfjs-cpu",
];

/** The variants that compile code. */
const compilers: readonly string[] = ["xla", "compile"];

/** Seconds to wait for an answer before the process is killed. */
const patience = 900;

interface MakeOptions {
  readonly systems: readonly SystemName[];
  readonly skipCompilers: boolean;
  readonly command: (system: SystemName) => Command | undefined;
}

/** The variants of the systems that can do a group's cases, references first. */
export function makeRunners(
  group: readonly Case[],
  { systems: chosen, skipCompilers, command }: MakeOptions,
): Runner[] {
  const able = referenceOrder.filter((system) => chosen.includes(system));
  return able.flatMap((system) => {
    const isThere = command(system) !== undefined;
    return systems[system].variants[group[0]!.work.do].flatMap((variant) => {
      if (skipCompilers && compilers.includes(variant)) return [];
      const mine = group.filter((each) => each.systems.includes(system) && !each.without?.includes(variant));
      if (mine.length === 0) return [];
      const fresh = ({ cannot }: Case): Readings => ({
        samples: [],
        peaks: [],
        loads: [],
        ...initialStatus(isThere, cannot?.[system]),
        dropped: false,
        lastSeconds: 0,
        seconds: 0,
        profile: undefined,
      });
      const readings = new Map(mine.map((each) => [each.name, fresh(each)]));
      return [{ system, variant, readings, startSeconds: 0, isReopened: false }];
    });
  });
}

function initialStatus(isThere: boolean, cannot: string | undefined): Pick<Readings, "status" | "note"> {
  if (!isThere) return { status: "not installed", note: "run `convkit-bench setup`" };
  return cannot === undefined ? { status: "ok", note: "" } : { status: "cannot", note: cannot };
}

/** Estimates the seconds of another round of a runner from its last round. */
export function nextSeconds(runner: Runner, group: readonly Case[]): number {
  const works = remaining(runner, group);
  const seconds = works.map((cases) => Math.max(...cases.map(({ name }) => runner.readings.get(name)!.lastSeconds)));
  return works.length === 0 ? 0 : seconds.reduce((sum, one) => sum + one, runner.startSeconds);
}

/** The remaining cases of a runner, grouped by work. */
export function remaining({ readings }: Runner, group: readonly Case[]): Case[][] {
  const open = group.filter(({ name }) => readings.get(name)?.status === "ok");
  const works = [...groupBy(open, ({ work }) => keyOf(work)).values()];
  return works.filter((cases) => {
    const timed = cases.filter(isTimed);
    return timed.length === 0 || timed.some(({ name }) => !readings.get(name)!.dropped);
  });
}

function keyOf({ network, batch }: Work): string {
  return `${network}/${batch}`;
}

/** Runs the remaining work in a fresh process. A crash fails only the current work; the rest gets another process. */
export async function takeTurn(runner: Runner, group: readonly Case[], turn: Turn): Promise<void> {
  const { system, variant } = runner;
  const isUntouched = ({ name }: Case) => runner.readings.get(name)!.samples.length === 0;
  const work = group[0]!.work;
  const precision = system === "convkit-bf16" ? "bfloat16" : work.precision;
  let driver: Driver | undefined;
  try {
    const works = remaining(runner, group).filter((cases) => !runner.isReopened || cases.every(isUntouched));
    runner.isReopened = false;
    for (const cases of works) {
      if (turn.signal?.aborted) return;
      try {
        if (driver === undefined) {
          const start = performance.now();
          driver = new Driver(turn.command(system)!, {
            environment: driverEnvironment(work),
            signal: turn.signal,
          });
          const threads = work.threads ?? turn.threads;
          const hello = await driver.ask({ system, variant, threads, precision, device: work.device }, patience);
          Object.assign(turn.versions, hello.versions);
          runner.startSeconds = (performance.now() - start) / 1000;
        }
        await runWork(runner, cases, driver, precision, group, turn);
      } catch (error) {
        if (!(error instanceof DriverError)) throw error;
        if (turn.signal?.aborted) return;
        settle(runner, cases, "failed", error.message);
        await driver?.close();
        driver = undefined;
      }
    }
  } finally {
    await driver?.close();
  }
}

async function runWork(
  runner: Runner,
  cases: readonly Case[],
  driver: Driver,
  precision: Precision,
  group: readonly Case[],
  { seconds, samples, juries, folder }: Turn,
): Promise<void> {
  const { work } = cases[0]!;
  const begin = performance.now();
  const network = { name: work.network, ...networks[work.network] };
  const load = new OtherLoad(driver.pid);
  const prepared = await driver.ask(request(work, { network, batch: work.batch, folder, count: samples }), patience);
  const key = keyOf(work);
  const jury = juries.get(key) ?? new Jury<Runner>(work.do === "data" ? undefined : network);
  juries.set(key, jury);
  const verdicts = jury.hear(runner, {
    system: runner.system,
    reply: prepared,
    half: precision !== "float32",
    isFull: precision === work.precision,
  });
  const judged = group.filter((each) => keyOf(each.work) === key);
  for (const [other, reason] of verdicts) if (other !== runner) rejudge(other, judged, reason);
  const reason = verdicts.get(runner);
  if (reason !== undefined) return settle(runner, cases, "differs", reason);
  const isSteady = cases.some(({ reading }) => reading === "times" || reading === "peakMemory");
  const isMeasured = isSteady && work.do !== "load" && work.do !== "build";
  const during = isMeasured ? new OtherLoad(driver.pid) : load;
  const timed = isMeasured ? await driver.ask({ do: "measure", seconds, count: samples }, patience) : prepared;
  const share = during.share();
  for (const { name, reading } of cases) {
    const { samples: taken, peaks, loads } = runner.readings.get(name)!;
    taken.push(...read(reading, prepared, timed));
    peaks.push(...read("peakMemory", prepared, timed));
    if (share !== undefined) loads.push(share);
  }
  const timedName = cases.find(({ reading }) => reading === "times")?.name;
  const timedCase = timedName === undefined ? undefined : runner.readings.get(timedName);
  if (isProfiled(runner, work) && timedCase !== undefined && timedCase.profile === undefined) {
    timedCase.profile = (await driver.ask({ do: "profile" }, patience)).profile;
  }
  const took = (performance.now() - begin) / 1000;
  for (const { name } of cases) {
    const readings = runner.readings.get(name)!;
    readings.lastSeconds = took;
    readings.seconds += took;
  }
}

/** True for compiled steps on the CPU: only there all ops can be traced. */
function isProfiled({ system, variant }: Runner, { do: what, device, threads }: Work): boolean {
  return (
    (system === "convkit" || system === "convkit-bf16") &&
    variant === "compiled" &&
    (what === "train" || what === "predict") &&
    device === "cpu" &&
    threads === undefined
  );
}

function settle({ readings }: Runner, cases: readonly Case[], status: Status, note: string): void {
  for (const { name } of cases) Object.assign(readings.get(name)!, { status, note });
}

/** Applies a new reference: variants that differ from it lose their numbers, and variants that were rejected before need timing. */
function rejudge(runner: Runner, cases: readonly Case[], reason: string | undefined): void {
  for (const { name } of cases) {
    const readings = runner.readings.get(name);
    if (readings === undefined) continue;
    if (reason !== undefined && readings.status !== "failed") {
      for (const list of [readings.samples, readings.peaks, readings.loads]) list.length = 0;
      Object.assign(readings, { status: "differs", note: reason, profile: undefined });
    } else if (reason === undefined && readings.status === "differs") {
      Object.assign(readings, { status: "ok", note: "" });
      runner.isReopened = true;
    }
  }
}

function read(reading: Case["reading"], prepared: Reply, timed: Reply): readonly number[] {
  if (reading === "times") return timed.times ?? [];
  if (reading === "peakMemory") return timed.peakMemory === undefined ? [] : [timed.peakMemory / 1e6];
  return prepared[reading] === undefined ? [] : [prepared[reading]];
}

function driverEnvironment({ device }: Work): NodeJS.ProcessEnv {
  // Hides the GPU from a process that must not use it.
  return device === "cpu" ? { CUDA_VISIBLE_DEVICES: "-1" } : {};
}

function isTimed({ reading }: Case): boolean {
  return reading === "times" || reading === "seconds";
}

/** The median of a runner's samples for a case. */
export function medianOf({ readings }: Runner, name: string): number | undefined {
  const samples = readings.get(name)?.samples ?? [];
  return samples.length === 0 ? undefined : quantile(samples, 0.5);
}
