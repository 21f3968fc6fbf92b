import { checkOptions, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import { patchedBackend } from "../patches/backend.ts";
import { GraphError } from "../graph-error.ts";
import { tensorflow } from "../native/c-api.ts";
import { activeWorker, setActiveWorker } from "./active-worker.ts";
import { membersOf } from "./cluster.ts";
import type { Cluster, Task } from "./cluster.ts";
import { pendingRuns } from "./guard.ts";
import { PeerError } from "./peer-error.ts";
import { awaitMembers } from "./peers.ts";
import { startServer } from "./server.ts";

/** Which cluster this process joins, and how. */
export interface DistributeOptions {
  /** The addresses of all workers, the same in each of them. */
  readonly cluster: Cluster;
  /** Which of them this process is. */
  readonly task: Task;
  /**
   * Seconds that a worker waits for the others, at the start and in each collective op; 120 by default. It must be longer than what one worker
   * does alone, such as the chief's writing of a checkpoint.
   */
  readonly timeout?: number | undefined;
  /** The type of the numbers that workers send each other: `bfloat16` halves the bytes and rounds each sum; `float32` by default. */
  readonly wire?: "float32" | "bfloat16" | undefined;
}

const optionNames: OptionNames<DistributeOptions> = { cluster: true, task: true, timeout: true, wire: true };

/** This process as one of several workers. */
export interface Worker {
  /** Its name in messages: `chief`, or `worker 1`. */
  readonly name: string;
  /** The names of all workers, by their rank. */
  readonly names: readonly string[];
  /** Its number among all workers, from 0. */
  readonly rank: number;
  /** The number of workers. */
  readonly count: number;
  /** True for the worker of rank 0, which alone writes files. */
  readonly isChief: boolean;
  /** The version of TensorFlow in this process. */
  readonly tensorflow: string;
  /**
   * Whose connections its server takes: those to its own IP `address` alone; those of this `machine`, for localhost; or those to any address
   * of the machine, `everywhere`, where the address is a name or none of this machine's, and on systems other than Linux.
   */
  readonly reach: "address" | "machine" | "everywhere";
}

/**
 * Makes this process one worker of a cluster, on TensorFlow's own distributed runtime: starts its gRPC server, which asks nobody for a
 * password and takes connections as `reach` of the result says, and waits until all workers answer. From then on,
 * compiled functions run on that server, and `allReduce` sums over the workers. Call it once, after `useEngine` and before the first
 * compiled call. Throws `GraphError` for a cluster or task that cannot be, and for a port in use; `PeerError` if a worker does not
 * answer in time.
 */
export async function distribute(options: DistributeOptions): Promise<Worker> {
  checkOptions("distribute", options, optionNames, (message) => new GraphError(message));
  const { cluster, task, timeout = 120, wire = "float32" } = options;
  const { members, rank } = membersOf(cluster, task);
  if (typeof timeout !== "number" || !(timeout > 0 && Number.isFinite(timeout)))
    throw new GraphError(`distribute: expected timeout to be seconds above 0, got ${shown(timeout)}.`);
  if (wire !== "float32" && wire !== "bfloat16")
    throw new GraphError(`distribute: expected wire to be "float32" or "bfloat16", got ${shown(wire)}.`);
  if (activeWorker() !== undefined)
    throw new GraphError(
      "distribute: expected one call in a process, got a second; start another process for another worker.",
    );
  patchedBackend();
  const self = members[rank]!;
  const { target, reach } = startServer(members, self);
  const missing = await awaitMembers(members, timeout);
  if (missing.length > 0)
    throw new PeerError(
      `${self.name}: ${missing.map(({ name, address }) => `${name} (${address})`).join(", ")} did not answer within ${timeout} seconds: start all workers, with the same cluster.`,
      missing.map(({ name }) => name),
    );
  process.on("exit", endWhileWaiting);
  setActiveWorker({ members, self, rank, target, reach, timeout, wire });
  return thisWorker()!;
}

/** Ends a process while TensorFlow waits for a lost worker, which Node cannot, once its other listeners have run. */
function endWhileWaiting(code: number): void {
  if (pendingRuns() === 0) return;
  const all = process.listeners("exit");
  try {
    for (const later of all.slice(all.indexOf(endWhileWaiting) + 1)) later.call(process, code);
  } finally {
    tensorflow()._exit(process.exitCode ?? code);
  }
}

/** This process as a worker; undefined if it works alone. */
export function thisWorker(): Worker | undefined {
  const active = activeWorker();
  if (active === undefined) return undefined;
  const { self, members, rank, reach } = active;
  const names = members.map(({ name }) => name);
  const version = String(tensorflow().TF_Version());
  return { name: self.name, names, rank, count: members.length, isChief: rank === 0, tensorflow: version, reach };
}
