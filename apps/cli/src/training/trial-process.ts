import { spawn } from "node:child_process";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import { CliError } from "../terminal/usage-error.ts";
import type { Context } from "../terminal/context.ts";
import { replicaVariable } from "./replica-messages.ts";
import type { RunPlace } from "./run-place.ts";

/** A training in a process of its own. */
export interface TrialProcess {
  /** What continues a run, of the options of this process. */
  readonly place: Omit<RunPlace, "isResumed">;
  readonly epochs: number;
  readonly threads: number;
}

/**
 * Trains the run whose `config.json` is in `place.folder` by `convkit train --resume` in a process of its own, from its newest checkpoint or
 * from the start. An interrupt of this process goes on to that one, and it ends with this one. Throws `CliError` with its sentence if it
 * failed, or with the signal that ended it.
 */
export function trainInProcess(context: Context, options: TrialProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    // In a process group of its own, so that Ctrl-C reaches it through this process alone.
    const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...trialArgs(context, options)], {
      detached: true,
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: { ...process.env, [replicaVariable]: "1" },
    });
    let sentence: string | undefined;
    createInterface({ input: child.stderr! }).on("line", (line) => {
      if (line.startsWith("convkit: ")) sentence = line.slice("convkit: ".length);
    });
    const interrupt = () => child.kill("SIGINT");
    context.signal.addEventListener("abort", interrupt);
    if (context.signal.aborted) interrupt();
    child.on("error", reject);
    child.on("close", (status, signal) => {
      context.signal.removeEventListener("abort", interrupt);
      if (status === 0) resolve();
      else reject(new CliError(sentence ?? `its process ended with ${signal ?? nameOf(status!)}`));
    });
  });
}

/** An exit status in words; one above 128 tells a signal. */
function nameOf(status: number): string {
  const [name] = Object.entries(constants.signals).find(([, number]) => number === status - 128) ?? [];
  return name ?? `status ${status}`;
}

/** The command line of a trial. */
function trialArgs(
  { options: { engine, layers, debug } }: Context,
  { place, epochs, threads }: TrialProcess,
): string[] {
  const { folder, workers, strict, cacheDecoded, cacheLimit, keepGoing } = place;
  const values = { engine, layers, threads, epochs, workers, "cache-limit": cacheLimit };
  const flags = { quiet: true, debug, strict, "cache-decoded": cacheDecoded, "keep-going": keepGoing };
  return [
    "train",
    "--resume",
    folder,
    ...Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)])),
    ...Object.entries(flags).flatMap(([name, isGiven]) => (isGiven === true ? [`--${name}`] : [])),
  ];
}
