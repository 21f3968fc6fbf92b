import type { Engine } from "@convkit/engine";
import { distribute, PeerError, type Worker } from "@convkit/graph";
import { Exchange } from "@convkit/trainer/internal";
import { CliError, UsageError } from "../terminal/usage-error.ts";
import type { Context } from "../terminal/context.ts";
import { tellParent } from "./replica-messages.ts";
import type { RunConfig } from "./run-config.ts";
import type { Seat } from "./tf-config.ts";

/** How a process trains with others. */
export interface WorkerOptions {
  readonly seat: Seat;
  /** Seconds that a worker waits for the others. */
  readonly timeout: number | undefined;
  /** The type of the numbers that the workers send each other. */
  readonly wire: "float32" | "bfloat16" | undefined;
}

/** Joins the cluster and waits for the other workers. Throws `PeerError` if one does not come. */
export async function joinCluster({ seat, timeout, wire }: WorkerOptions, { name, backend }: Engine): Promise<Worker> {
  if (backend !== "tensorflow")
    throw new CliError(
      `Several workers need the native engine, and ${seat.members[seat.rank]!.name} has ${name} alone: install it with convkit engine install.`,
    );
  try {
    return await distribute({ cluster: seat.cluster, task: seat.task, timeout, wire });
  } catch (error) {
    // The cluster was checked before, so that all else is a port in use.
    if (!(error instanceof PeerError)) tellParent("port in use");
    throw error;
  }
}

/**
 * Gives the workers that resume a run the chief's settings, so that they need no run directory; `own` is missing in these. Throws
 * `UsageError` in a worker that resumes a run while the chief begins one, or the other way round.
 */
export async function sharedConfig(worker: Worker, own: RunConfig | undefined, isResumed: boolean): Promise<RunConfig> {
  const exchange = new Exchange(worker);
  try {
    const told = worker.isChief ? new TextEncoder().encode(JSON.stringify({ config: own, isResumed })) : undefined;
    const chief = JSON.parse(new TextDecoder().decode(await exchange.broadcast(told))) as {
      readonly config: RunConfig;
      readonly isResumed: boolean;
    };
    if (chief.isResumed !== isResumed)
      throw new UsageError(
        `The chief ${chief.isResumed ? "resumes" : "begins"} a run and ${worker.name} ${isResumed ? "resumes" : "begins"} one: start all workers with the same command.`,
      );
    return own ?? chief.config;
  } finally {
    await exchange.dispose();
  }
}

/** Milliseconds after which a worker that lost another one ends although TensorFlow still waits for it. */
const WAITING_MS = 2000;

/** Trains as one of several workers. If another one is lost, this process ends soon after the error is told. */
export async function amongWorkers(training: () => Promise<void>): Promise<void> {
  try {
    await training();
  } catch (error) {
    if (error instanceof PeerError) {
      tellParent("lost a worker");
      setTimeout(() => process.exit(1), WAITING_MS).unref();
    }
    throw error;
  }
}

/** The context of a worker beside the chief, which alone shows the progress. */
export function silentContext(context: Context): Context {
  return { ...context, out: { ...context.out, live: false, note() {}, event() {} } };
}

/** Says that the workers' ports are open to others, if they are. */
export function reachNote({ reach }: Pick<Worker, "reach">): string | undefined {
  if (reach !== "everywhere") return undefined;
  return "TensorFlow's server takes connections to any address of this machine, and asks for no password: let only the workers reach its port.";
}

/** Says what a resumed run has otherwise than before, if the number of its workers changed. */
export function workersNote(before: number, now: number): string | undefined {
  if (before === now) return undefined;
  const count = (workers: number) => (workers === 1 ? "one process" : `${workers} workers`);
  return `The run began in ${count(before)} and goes on in ${count(now)}: its batches are the same, but sums round otherwise, and augmentation and dropout draw other numbers.`;
}
