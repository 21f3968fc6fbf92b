import type { Member } from "./cluster.ts";
import type { Reach } from "./fence.ts";

/** This process's place in the cluster that it belongs to. */
export interface ActiveWorker {
  /** All workers, the chief first. */
  readonly members: readonly Member[];
  readonly self: Member;
  readonly rank: number;
  /** Where TensorFlow's sessions find the server of this process. */
  readonly target: string;
  /** Whose connections that server takes. */
  readonly reach: Reach;
  /** Seconds that a collective op waits. */
  readonly timeout: number;
  /** The type of the numbers that are sent. */
  readonly wire: "float32" | "bfloat16";
}

/** The only place that stores it: a process is a worker of one cluster at most, and for good. */
let active: ActiveWorker | undefined;

/** The worker that this process is; undefined if it works alone. */
export function activeWorker(): ActiveWorker | undefined {
  return active;
}

export function setActiveWorker(worker: ActiveWorker): void {
  active = worker;
}
