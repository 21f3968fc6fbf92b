import type { Case } from "../cases/cases.ts";
import { type Command, driverCommand } from "./driver-process.ts";
import { groupBy } from "../results/group-by.ts";
import type { Jury } from "./reference-vote.ts";
import { type MeasuredData, measuredData } from "./case-data.ts";
import { rowsOf } from "./rows.ts";
import { networks } from "../cases/networks.ts";
import type { Row } from "../results/result.ts";
import { makeRunners, medianOf, nextSeconds, remaining, type Runner, takeTurn } from "./runner.ts";
import { isPeer, type SystemName } from "../cases/systems.ts";

/** How thoroughly to measure. */
export interface MeasureOptions {
  readonly threads: number;
  readonly rounds: number;
  /** Minutes for the whole run. After the first round, no round starts that would end later. */
  readonly minutes?: number | undefined;
  /** Seconds of timed work per round of a case. A single long step may take longer. */
  readonly seconds: number;
  /** Samples per round. */
  readonly samples: number;
  /** The systems that take part. */
  readonly systems: readonly SystemName[];
  /** Leaves out the variants that compile for half a minute. */
  readonly skipCompilers?: boolean | undefined;
  /** The Python of the peers' environment; undefined where it is not installed. */
  readonly python: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((line: string) => void) | undefined;
  /** Gives the command that starts a system's process; tests replace it. */
  readonly command?: (system: SystemName) => Command | undefined;
}

/** The rows of a group of cases so far. */
export interface Measured {
  readonly rows: readonly Row[];
  readonly versions: Readonly<Record<string, string>>;
}

/**
 * Measures the cases round by round, and yields the rows of a group after each of its rounds. The cases of a group
 * share processes. Within a group the systems take turns, in a fresh process each. A system is timed only if its losses
 * or outputs equal the reference's. An aborted signal ends the running process; the rows so far are yielded.
 */
export async function* measureCases(cases: readonly Case[], options: MeasureOptions): AsyncGenerator<Measured> {
  const begin = performance.now();
  const groups = groupCases(cases).map((group) => new Group(group, options));
  try {
    for (let round = 0; round < options.rounds; round++) {
      for (const group of groups) {
        if (options.signal?.aborted) return;
        const left = (options.minutes ?? Infinity) * 60_000 - (performance.now() - begin);
        if (group.isDone(round) || (round > 0 && group.nextRound() > left)) continue;
        yield await group.run(round);
      }
    }
  } finally {
    for (const group of groups) await group.end();
  }
}

/** Parameters above which building a network takes longer than starting a process, or many times longer. */
const large = 5_000_000;
const huge = 100_000_000;

function sizeOf({ network }: Case["work"]): string {
  const { params } = networks[network];
  return params < large ? "small" : params < huge ? "large" : "huge";
}

/** Groups cases that the same processes measure. Predictions share processes by the size of the network. */
export function groupCases(cases: readonly Case[]): Case[][] {
  const key = ({ work }: Case) => {
    if (work.do !== "predict") return JSON.stringify(work);
    return JSON.stringify({ ...work, batch: 0, network: sizeOf(work) });
  };
  return [...groupBy(cases, key).values()];
}

class Group {
  readonly #cases: readonly Case[];
  readonly #options: MeasureOptions;
  readonly #command: (system: SystemName) => Command | undefined;
  readonly #runners: readonly Runner[];
  readonly #juries = new Map<string, Jury<Runner>>();
  readonly #versions: Record<string, string> = {};
  #data: MeasuredData | undefined;

  constructor(group: readonly Case[], options: MeasureOptions) {
    const { systems, skipCompilers = false, python, command = (name) => driverCommand(name, python) } = options;
    this.#cases = group;
    this.#options = options;
    this.#command = command;
    this.#runners = makeRunners(group, { systems, skipCompilers, command });
  }

  isDone(round: number): boolean {
    return round >= Math.min(...this.#cases.map((each) => each.rounds ?? Infinity));
  }

  /** Milliseconds that another round will take; 0 for a group that has nothing left to run. */
  nextRound(): number {
    const seconds = this.#runners.reduce((sum, runner) => sum + nextSeconds(runner, this.#cases), 0);
    return seconds === 0 ? Infinity : seconds * 1000;
  }

  async run(round: number): Promise<Measured> {
    this.#data ??= await measuredData(this.#cases[0]!.work);
    const turns = rotate(this.#runners, Math.floor((round * this.#runners.length) / this.#options.rounds));
    for (const runner of turns) await this.#turn(runner, round);
    for (const runner of turns) if (runner.isReopened) await this.#turn(runner, round);
    dropSlow(this.#runners, this.#cases);
    return { rows: this.#cases.flatMap((each) => rowsOf(each, this.#runners)), versions: this.#versions };
  }

  async #turn(runner: Runner, round: number): Promise<void> {
    const { threads, seconds, samples, rounds, signal, onProgress } = this.#options;
    const first = remaining(runner, this.#cases)[0]?.[0];
    if (signal?.aborted || first === undefined) return;
    onProgress?.(`${first.name}: ${runner.system} ${runner.variant}, round ${round + 1} of ${rounds}`);
    await takeTurn(runner, this.#cases, {
      threads,
      seconds,
      samples,
      signal,
      command: this.#command,
      juries: this.#juries,
      versions: this.#versions,
      folder: this.#data?.folder,
    });
  }

  async end(): Promise<void> {
    await this.#data?.remove();
  }
}

/**
 * Drops slow variants; their rows keep their numbers. A variant is slow if it is 10 % behind its system's best, or,
 * unless it is convkit's, 30 % behind the fastest peer.
 */
function dropSlow(runners: readonly Runner[], group: readonly Case[]): void {
  for (const { name, reading } of group) {
    if (reading !== "times" && reading !== "seconds") continue;
    const fastest = (some: readonly Runner[]) => Math.min(...some.map((each) => medianOf(each, name) ?? Infinity));
    const peer = fastest(runners.filter(({ system }) => isPeer(system)));
    for (const runner of runners) {
      const median = medianOf(runner, name);
      if (median === undefined) continue;
      const own = fastest(runners.filter(({ system }) => system === runner.system));
      runner.readings.get(name)!.dropped = median > 1.1 * own || (runner.system !== "convkit" && median > 1.3 * peer);
    }
  }
}

function rotate<T>(list: readonly T[], by: number): T[] {
  return [...list.slice(by), ...list.slice(0, by)];
}
