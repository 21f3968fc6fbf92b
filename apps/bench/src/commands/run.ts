import { availableParallelism } from "node:os";
import { type Case, selectCases } from "../cases/cases.ts";
import { findGpu } from "../results/machine.ts";
import { measureAndKeep } from "./measure-and-keep.ts";
import type { MeasureOptions } from "../measure/measure.ts";
import { peersPython } from "./peers-environment.ts";
import { resultsFolder } from "../results/folder.ts";
import { isPeer, type PeerName, peerNames, systemNames } from "../cases/systems.ts";
import { formatTable } from "../results/table.ts";

/** The options of the main command. */
export interface RunOptions {
  readonly vs?: readonly PeerName[];
  readonly quick?: boolean;
  readonly rounds?: number;
  readonly seconds?: number;
  readonly minutes?: number;
  readonly threads?: number;
  readonly json?: boolean;
  readonly out?: string;
  readonly resume?: string;
  readonly check?: boolean;
  readonly profile?: string;
  readonly roofline?: boolean;
}

/** The main command: measures, prints, writes. If interrupted, it prints the rows so far and exits with status 130. */
export async function run(patterns: readonly string[], options: RunOptions): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      process.exitCode = 130;
      stop.abort();
    });
  const threads = options.threads ?? availableParallelism();
  const settings = {
    ...thoroughness(options),
    threads,
    signal: stop.signal,
    onProgress: progress,
  };
  if (options.profile !== undefined)
    return (await import("./profile.ts")).profile(selectCases(patterns), options.profile, settings);
  if (options.roofline) return (await import("./roofline.ts")).roofline(selectCases(patterns), settings, options.json);
  if (options.check) return (await import("./check.ts")).guard(patterns, { ...settings, ...forGuard }, options.json);

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

/**
 * The chosen cases that will run. `--quick` keeps the short list and cases named in full. GPU cases need a GPU or their
 * name.
 */
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
  minutes,
  seconds,
}: RunOptions): Pick<MeasureOptions, "rounds" | "minutes" | "seconds" | "samples" | "skipCompilers"> {
  return quick
    ? { rounds: rounds ?? 1, minutes, seconds: seconds ?? 0.4, samples: 4, skipCompilers: true }
    : {
        rounds: rounds ?? 3,
        minutes: minutes ?? (rounds === undefined ? 55 : undefined),
        seconds: seconds ?? 0.4,
        samples: 5,
      };
}

/** Settings of continuous integration, which must not wait. A case below its floor is measured again instead. */
const forGuard = { rounds: 1, seconds: 0.4, samples: 4 } as const;

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}
