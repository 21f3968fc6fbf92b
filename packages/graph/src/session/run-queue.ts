import { bytesAt, tensorflow } from "../native/c-api.ts";
import type { Handle } from "../native/c-api.ts";

/** A run that TensorFlow has begun off the JavaScript thread. */
export interface StartedRun {
  readonly status: Handle;
  /** Where TensorFlow writes the tensors that it fetched: their addresses, the last one at the end of the run. */
  readonly outputValues: Handle;
  readonly outputCount: number;
  /** The fetched tensors, once JavaScript has waited for the end of the run. */
  fetched?: readonly bigint[];
}

const pause = new Int32Array(new SharedArrayBuffer(4));

/** Makes runs happen one after the other, those of several sessions too. */
export class RunQueue {
  #last: Promise<unknown> = Promise.resolve();
  #started: StartedRun | undefined;

  /** Waits for earlier turns, then takes a turn. */
  enqueue<T>(turn: () => Promise<T>): Promise<T> {
    const result = this.#last.then(turn);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Resolves when all turns so far have ended. */
  async idle(): Promise<void> {
    await this.#last;
  }

  begin(run: StartedRun): void {
    this.#started = run;
  }

  end(): void {
    this.#started = undefined;
  }

  /** Blocks JavaScript until the run in progress has ended, and notes its results: the memory may then be used again. */
  settle(): void {
    const run = this.#started;
    if (run === undefined || run.fetched !== undefined) return;
    const outputs = new BigUint64Array(bytesAt(run.outputValues, run.outputCount * 8).buffer);
    while (outputs[run.outputCount - 1] === 0n && tensorflow().TF_GetCode(run.status) === 0)
      Atomics.wait(pause, 0, 0, 0.1);
    run.fetched = [...outputs];
  }
}
