import { disagreement } from "./agreement.ts";
import type { Case, Work } from "./cases.ts";
import { type Command, Driver, driverCommand, DriverError, type Reply } from "./driver.ts";
import { groupBy } from "./group-by.ts";
import { measuredData } from "./measured-data.ts";
import { networks } from "./networks.ts";
import { OtherLoad } from "./other-load.ts";
import type { Row, Status, VariantResult } from "./result.ts";
import { quantile, spread } from "./statistics.ts";
import { type SystemName, systems } from "./systems.ts";

/** How thoroughly to measure. */
export interface MeasureOptions {
  readonly threads: number;
  readonly rounds: number;
  /** Seconds of timed work in a round of a case, as far as single steps allow. */
  readonly seconds: number;
  /** Samples in a round. */
  readonly samples: number;
  /** The systems that take part. */
  readonly systems: readonly SystemName[];
  /** Leaves out the variants that compile for half a minute. */
  readonly skipCompilers?: boolean;
  /** The Python of the peers' environment; undefined where it is not installed. */
  readonly python: string | undefined;
  readonly signal?: AbortSignal;
  readonly onProgress?: (line: string) => void;
  /** How a system's process is started; tests start others. */
  readonly command?: (system: SystemName) => Command | undefined;
}

/** Who is asked first in a group: its answer is what the others must equal. */
const referenceOrder: readonly SystemName[] = [
  "keras",
  "torch",
  "onnxruntime",
  "tfjs-node",
  "convkit",
  "convkit-bf16",
  "convkit-wasm",
];

/** Share of MNIST's test images that must be classified right, and in how many epochs at most. */
const accuracyGoal = { target: 0.99, epochs: 20 } as const;

/** The variants that generate code of their own. */
const compilers: readonly string[] = ["xla", "compile"];

/** A request may take this long before the process is ended. */
const patience = 900;

/** One variant of a system in one group of cases. */
interface Runner {
  readonly system: SystemName;
  readonly variant: string;
  readonly samples: Map<string, number[]>;
  readonly loads: number[];
  /** Largest resident sets by case, in 10^6 bytes. */
  readonly peaks: Map<string, number[]>;
  status: Status;
  note: string;
  /** Too slow to matter after its first round. */
  dropped: boolean;
}

/** What a group of cases gave. */
export interface Measured {
  readonly rows: readonly Row[];
  readonly versions: Readonly<Record<string, string>>;
}

/**
 * Measures the cases, group by group; a group's cases share processes. Within a group the systems take turns in rounds, in a
 * fresh process each, and nobody is timed before its losses or outputs equal the reference's. An aborted signal ends the
 * process that runs, and what was measured of the group is yielded.
 */
export async function* measureCases(cases: readonly Case[], options: MeasureOptions): AsyncGenerator<Measured> {
  // The largest networks last: a run that is interrupted then has the most rows.
  const isLarge = ([first]: readonly Case[]) => (first?.work.network.startsWith("vgg16") ? 1 : 0);
  for (const group of groupCases(cases).toSorted((a, b) => isLarge(a) - isLarge(b))) {
    if (options.signal?.aborted) return;
    yield await measureGroup(group, options);
  }
}

/** Cases whose numbers are read from the same processes. */
export function groupCases(cases: readonly Case[]): Case[][] {
  const key = ({ work }: Case) => JSON.stringify(work.do === "predict" ? { ...work, batch: 0 } : work);
  return [...groupBy(cases, key).values()];
}

async function measureGroup(group: readonly Case[], options: MeasureOptions): Promise<Measured> {
  const { signal } = options;
  const rounds = Math.min(options.rounds, ...group.map((each) => each.rounds ?? Infinity));
  const data = await measuredData(group[0]!.work);
  const versions: Record<string, string> = {};
  const references = new Map<number, Reply>();
  const runners = makeRunners(group, options);
  try {
    for (let round = 0; round < rounds; round++) {
      const turn = round === 0 ? runners : rotate(runners, Math.floor((round * runners.length) / rounds));
      for (const runner of turn) {
        if (signal?.aborted) break;
        if (runner.status !== "ok" || runner.dropped) continue;
        await runOnce(runner, group, { ...options, rounds, round, references, versions, folder: data?.folder });
      }
      if (round === 0) dropSlow(runners, group);
    }
  } finally {
    await data?.remove();
  }
  return { rows: group.flatMap((each) => rowsOf(each, runners)), versions };
}

function makeRunners(group: readonly Case[], options: MeasureOptions): Runner[] {
  const { systems: chosen, python, command, skipCompilers = false } = options;
  const work = group[0]!.work;
  const able = referenceOrder.filter(
    (name) => chosen.includes(name) && group.some((each) => each.systems.includes(name)),
  );
  return able.flatMap((system) => {
    const installed = (command ?? ((name) => driverCommand(name, python)))(system) !== undefined;
    const all = systems[system].variants[work.do];
    const without = [...(group[0]!.without ?? []), ...(skipCompilers ? compilers : [])];
    const variants = all.filter((variant) => !without.includes(variant));
    return variants.map((variant) => ({
      system,
      variant,
      samples: new Map<string, number[]>(),
      loads: [],
      peaks: new Map<string, number[]>(),
      status: installed ? ("ok" as const) : ("not installed" as const),
      note: installed ? "" : "run `convkit-bench setup`",
      dropped: false,
    }));
  });
}

interface Turn extends MeasureOptions {
  readonly round: number;
  readonly references: Map<number, Reply>;
  readonly versions: Record<string, string>;
  /** Where the case's data is. */
  readonly folder: string | undefined;
}

/** One round of one runner, in a fresh process. */
async function runOnce(runner: Runner, group: readonly Case[], turn: Turn): Promise<void> {
  const { system, variant } = runner;
  const work = group[0]!.work;
  const command = (turn.command ?? ((name) => driverCommand(name, turn.python)))(system)!;
  const threads = work.threads ?? turn.threads;
  const driver = new Driver(command, driverEnvironment(work));
  const abort = () => driver.kill();
  turn.signal?.addEventListener("abort", abort, { once: true });
  turn.onProgress?.(`${group[0]!.name}: ${system} ${variant}, round ${turn.round + 1} of ${turn.rounds}`);
  try {
    const precision = system === "convkit-bf16" ? "bfloat16" : work.precision;
    const hello = await driver.ask({ system, variant, threads, precision, device: work.device }, patience);
    Object.assign(turn.versions, hello.versions);
    for (const [batch, cases] of groupBy(group, (each) => each.work.batch)) {
      if (!cases.some((each) => each.systems.includes(system))) continue;
      await runBatch(runner, batch, cases, { ...turn, driver, half: precision !== "float32" });
      if (runner.status !== "ok") break;
    }
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    if (!turn.signal?.aborted) Object.assign(runner, { status: "failed", note: error.message });
  } finally {
    turn.signal?.removeEventListener("abort", abort);
    await driver.close();
  }
}

async function runBatch(
  runner: Runner,
  batch: number,
  cases: readonly Case[],
  { driver, half, seconds, samples, references, folder }: Turn & { readonly driver: Driver; readonly half: boolean },
): Promise<void> {
  const { work } = cases[0]!;
  const network = { name: work.network, ...networks[work.network] };
  const load = new OtherLoad(driver.pid);
  const prepared = await driver.ask(request(work, { network, batch, folder, count: samples }), patience);
  const reference = references.get(batch);
  if (reference === undefined) references.set(batch, prepared);
  const reason = disagreement(work.do === "data" ? undefined : network, prepared, reference ?? prepared, half);
  if (reason !== undefined) {
    Object.assign(runner, { status: "differs", note: reason });
    return;
  }
  const steady = cases.some(({ reading }) => reading === "times" || reading === "peakMemory");
  const isTimed = steady && work.do !== "load" && work.do !== "build";
  const during = isTimed ? new OtherLoad(driver.pid) : load;
  const timed = isTimed ? await driver.ask({ do: "measure", seconds, count: samples }, patience) : prepared;
  const share = during.share();
  if (share !== undefined) runner.loads.push(share);
  for (const { name, reading } of cases) {
    const values = read(reading, prepared, timed);
    runner.samples.set(name, [...(runner.samples.get(name) ?? []), ...values]);
    runner.peaks.set(name, [...(runner.peaks.get(name) ?? []), ...read("peakMemory", prepared, timed)]);
  }
}

/** What a driver is asked to make ready. */
export function request(
  work: Work,
  { network, batch, folder, count }: { network: object; batch: number; folder?: string | undefined; count: number },
): object {
  if (work.do === "data") return { do: "data", source: work.data, folder, batch };
  if (work.do === "accuracy") return { do: "accuracy", network, batch, folder, ...accuracyGoal };
  if (work.do === "build") return { do: "build", network };
  if (work.do === "load") return { do: "load", network, count };
  if (work.do === "predict") return { do: "predict", network, batch };
  return { do: "train", network, batch, optimizer: work.optimizer };
}

function read(reading: Case["reading"], prepared: Reply, timed: Reply): readonly number[] {
  if (reading === "times") return timed.times ?? [];
  if (reading === "peakMemory") return timed.peakMemory === undefined ? [] : [timed.peakMemory / 1e6];
  return prepared[reading] === undefined ? [] : [prepared[reading]];
}

/** A GPU that must not be used is hidden. */
function driverEnvironment({ device, do: what, threads }: Work): NodeJS.ProcessEnv {
  return {
    ...(device === "cpu" && { CUDA_VISIBLE_DEVICES: "-1" }),
    // Node decodes pictures on the threads of libuv's pool, whose size is only taken from here.
    ...(what === "data" && threads !== undefined && { UV_THREADPOOL_SIZE: String(threads) }),
  };
}

/**
 * After the first round a variant that is a tenth behind its system's best, or twice behind the fastest system in the case's
 * own precision, is not run again: its row keeps that round's numbers.
 */
function dropSlow(runners: readonly Runner[], group: readonly Case[]): void {
  const timed = group.filter(({ reading }) => reading === "times" || reading === "seconds");
  if (timed.length === 0) return;
  const peersAndUs = runners.filter(({ system }) => system !== "convkit-bf16");
  for (const runner of runners) {
    const ofSystem = runners.filter(({ system }) => system === runner.system);
    const mine = timed.filter(({ name }) => medianOf(runner, name) !== undefined);
    runner.dropped =
      mine.length > 0 &&
      mine.every(({ name }) => {
        const median = medianOf(runner, name)!;
        return median > 1.1 * fastest(ofSystem, name) || median > 2 * fastest(peersAndUs, name);
      });
  }
}

function fastest(runners: readonly Runner[], name: string): number {
  return Math.min(...runners.map((runner) => medianOf(runner, name) ?? Infinity));
}

function medianOf(runner: Runner, name: string): number | undefined {
  const samples = runner.samples.get(name);
  return samples === undefined || samples.length === 0 ? undefined : quantile(samples, 0.5);
}

function rowsOf({ name, unit, systems: able }: Case, runners: readonly Runner[]): Row[] {
  const mine = runners.filter(({ system }) => able.includes(system));
  return [...groupBy(mine, ({ system }) => system).entries()].map(([system, variants]) => {
    const ranked = variants.toSorted((a, b) => (medianOf(a, name) ?? Infinity) - (medianOf(b, name) ?? Infinity));
    const best = ranked[0]!;
    const samples = best.samples.get(name) ?? [];
    const peaks = best.peaks.get(name) ?? [];
    const loads = variants.flatMap(({ loads }) => loads);
    const numbers = samples.length === 0 ? { median: null, p10: null, p90: null } : spread(samples);
    const status = samples.length > 0 ? "ok" : best.status === "ok" ? "not run" : best.status;
    return {
      case: name,
      system,
      status,
      variant: samples.length === 0 ? null : best.variant,
      ...numbers,
      unit,
      ratioToFastestPeer: null,
      samples: samples.length,
      otherLoad: loads.length === 0 ? null : loads.reduce((sum, share) => sum + share, 0) / loads.length,
      peakMB: peaks.length === 0 ? null : quantile(peaks, 0.5),
      variants: ranked.map((variant) => variantResult(variant, name)),
      note: samples.length > 0 ? variantTrouble(ranked) : best.note,
    };
  });
}

function variantResult(runner: Runner, name: string): VariantResult {
  const samples = runner.samples.get(name) ?? [];
  const { variant, status, note } = runner;
  return { variant, status, note, ...(samples.length > 0 && spread(samples)) };
}

/** What a row with numbers must say of its system's variants that gave none. */
function variantTrouble(variants: readonly Runner[]): string {
  return variants
    .filter(({ status }) => status !== "ok")
    .map(({ variant, status, note }) => `${variant} ${status}: ${note}`)
    .join("; ");
}

function rotate<T>(list: readonly T[], by: number): T[] {
  return [...list.slice(by), ...list.slice(0, by)];
}
