import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { CliError, UsageError } from "../terminal/usage-error.ts";
import { runDirectory } from "@convkit/trainer";
import type { Context } from "../terminal/context.ts";
import { freeAddresses, type ReplicaEnd, startReplicas } from "./replica-processes.ts";

/** A training in several processes on this machine. */
export interface ReplicaOptions {
  readonly replicas: number;
  readonly restarts?: number | undefined;
  /** Seconds that a worker waits for the others. */
  readonly workerTimeout?: number | undefined;
  /** Threads of each process; by default the processor's, shared out. */
  readonly threads: number | undefined;
  readonly folder: string;
  readonly isResumed: boolean;
}

/** How often the processes are started with other ports, where another program has taken one meanwhile. */
const PORT_TRIES = 3;

/**
 * Runs the same command line in several processes, each of which `TF_CONFIG` gives its place: the chief, which has the terminal, and the workers.
 * Starts them anew from the last checkpoint after a lost process, as often as `restarts` says. Throws `CliError` if one failed.
 */
export async function trainReplicas(context: Context, options: ReplicaOptions): Promise<void> {
  const { replicas, restarts = 0, workerTimeout = 120, folder, isResumed } = options;
  const threads = options.threads ?? Math.max(1, Math.floor(availableParallelism() / replicas));
  let [restarted, tries] = [0, 1];
  for (;;) {
    context.signal.throwIfAborted();
    const addresses = await freeAddresses(replicas);
    const ends = await startReplicas(context, {
      args: replicaArgs(context.args, { threads, folder, isResumed: isResumed || (restarted > 0 && hasRun(folder)) }),
      addresses,
      timeout: workerTimeout,
    });
    if (context.signal.aborted) return;
    if (ends.every(({ kind }) => kind === "done")) return;
    if (ends.some(({ kind }) => kind === "port in use") && tries < PORT_TRIES) {
      tries += 1;
      context.out.note("Another program has taken a port: the workers start with other ones.");
      continue;
    }
    const failed = ends.find(({ kind }) => kind === "failed") ?? ends.find(({ kind }) => kind === "port in use");
    if (failed !== undefined) throw failure(failed);
    const lost = ends.filter(({ kind }) => kind === "lost").map(({ name, how }) => `${name} was ended by ${how}`);
    const what = lost.length > 0 ? lost.join(", ") : "the workers lost each other";
    if (restarted === restarts) {
      const advice = hasRun(folder) ? `: continue with convkit train --resume ${folder} --replicas ${replicas}` : "";
      throw new CliError(`${capital(what)}${advice}.`);
    }
    restarted += 1;
    context.out.note(`${capital(what)}: restart ${restarted} of ${restarts}.`);
  }
}

function failure({ name, how, status }: ReplicaEnd): Error {
  const message = `${capital(name)} ended with ${how}, as its message above says.`;
  return status === 2 ? new UsageError(message) : new CliError(message);
}

function capital(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}`;
}

/** Whether a run was begun in a folder, which its configuration tells. */
function hasRun(folder: string): boolean {
  return existsSync(runDirectory(folder).config);
}

/** The command line of each process: without the options of this one, and with all that this one has decided. */
export function replicaArgs(
  args: readonly string[],
  { threads, folder, isResumed }: { readonly threads: number; readonly folder: string; readonly isResumed: boolean },
): string[] {
  const own = ["--replicas", "--restarts", "--threads", "--out", "--resume"];
  const kept: string[] = [];
  for (let place = 0; place < args.length; place += 1) {
    if (own.includes(args[place]!)) place += 1;
    else if (!own.some((option) => args[place]!.startsWith(`${option}=`))) kept.push(args[place]!);
  }
  return [...kept, "--threads", String(threads), isResumed ? "--resume" : "--out", folder];
}
