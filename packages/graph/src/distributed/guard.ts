import { setTimeout as sleep } from "node:timers/promises";
import { GraphError } from "../graph-error.ts";
import type { ActiveWorker } from "./active-worker.ts";
import type { Member } from "./cluster.ts";
import { PeerError } from "./peer-error.ts";
import { silent } from "./peers.ts";

/** Milliseconds between two looks at the other workers during a long run. */
const LOOK_MS = 1000;

/**
 * Milliseconds for which a worker whose run failed keeps answering, so that the others see who was lost first; and for which a run may last
 * beyond the time-out of its collective ops.
 */
const LINGER_MS = 5000;

/**
 * Seconds by which TensorFlow's own time-out of a collective op comes later than ours. Where it strikes, the op's memory is freed though
 * its transfer may go on: a worker whose peer stood still was ended by the allocator (SIGABRT) before it could say who was lost.
 */
export const OP_GRACE_S = (2 * LINGER_MS) / 1000;

/** TensorFlow's codes of failures that another worker may have caused. */
const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;
const peerCodes: ReadonlySet<number> = new Set([CANCELLED, DEADLINE_EXCEEDED, 9, 10, 14]);

/** A failed run with TensorFlow's code of the failure. */
export class RunError extends GraphError {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

let pending = 0;

/** The number of runs in progress that wait for other workers. */
export function pendingRuns(): number {
  return pending;
}

/** Awaits a run of a worker, and looks who is lost if it lasts. Rejects with a `PeerError` if another worker made it fail. */
export async function guarded<T>(worker: ActiveWorker, running: Promise<T>): Promise<T> {
  const ended = new AbortController();
  const watch = new Watch(worker, ended.signal);
  pending += 1;
  const ownEnd = running.finally(() => void (pending -= 1));
  ownEnd.catch(() => undefined);
  try {
    return await Promise.race([ownEnd, watch.overdue()]);
  } catch (error) {
    if (error instanceof PeerError || !(error instanceof RunError && peerCodes.has(error.status))) throw error;
    const lost = await watch.lost();
    await sleep(LINGER_MS);
    throw peerError(worker, lost, error);
  } finally {
    ended.abort();
  }
}

/** Looks now and then whether the other workers answer, while a run lasts. */
class Watch {
  readonly #worker: ActiveWorker;
  readonly #ended: AbortSignal;
  readonly #began = performance.now();
  /** Those that were silent when somebody was for the first time. */
  #first: readonly Member[] = [];

  constructor(worker: ActiveWorker, ended: AbortSignal) {
    this.#worker = worker;
    this.#ended = ended;
  }

  /** Rejects once a worker is lost and the run lasts longer than any collective op may; never resolves. */
  async overdue(): Promise<never> {
    const limit = this.#worker.timeout * 1000 + LINGER_MS;
    for (;;) {
      await this.#pause();
      const lost = await this.lost();
      if (lost.length > 0 && performance.now() - this.#began > limit) throw peerError(this.#worker, lost);
    }
  }

  /** The workers that were lost first. */
  async lost(): Promise<readonly Member[]> {
    if (this.#first.length === 0) {
      const { members, self } = this.#worker;
      const now = await silent(members.filter((member) => member !== self));
      if (this.#first.length === 0) this.#first = now;
    }
    return this.#first;
  }

  /** Waits for the next look; for ever once the run has ended. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LOOK_MS).unref();
      this.#ended.addEventListener("abort", () => clearTimeout(timer), { once: true });
    });
  }
}

function peerError({ self, timeout }: ActiveWorker, lost: readonly Member[], cause?: RunError): PeerError {
  const names = lost.map(({ name, address }) => `${name} (${address})`).join(", ");
  const what =
    lost.length > 0
      ? `${names} ${lost.length === 1 ? "does" : "do"} not answer`
      : cause?.status === DEADLINE_EXCEEDED
        ? `the other workers answer, but one has not come to the same step within ${timeout} seconds`
        : "another worker failed, and still answers";
  const advice =
    lost.length > 0 ? "start all workers anew, from the last checkpoint" : "look at the messages of the others";
  return new PeerError(
    `${self.name}: ${what}: ${advice}.`,
    lost.map(({ name }) => name),
    { cause },
  );
}
