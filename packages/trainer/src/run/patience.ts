import { wholeFromZero } from "@convkit/errors";
import type { JsonValue } from "@convkit/files";
import { type Fields, throwProblems } from "../checks/fields.ts";
import { numberOrNull, storedProblems } from "../checks/stored.ts";
import type { EpochLogs } from "./history.ts";
import { improves, type Monitor, type Watched, watched, worst } from "./monitor.ts";

interface State {
  readonly best: number | null;
  readonly waited: number;
}

/** Counts the epochs since a watched value improved. */
export class Patience {
  /** Epochs without improvement. */
  waited = 0;
  readonly #monitor: Monitor;
  readonly #minDelta: number;
  #best: number;
  #lower: boolean | undefined;

  constructor(monitor: Monitor, minDelta: number) {
    this.#monitor = monitor;
    this.#minDelta = minDelta;
    this.#best = worst(monitor);
  }

  /** Says before the first epoch whether lower is better. */
  begin(lower: boolean): void {
    this.#lower = lower;
    if (Math.abs(this.#best) === Infinity) this.#best = worst({ lower });
  }

  get #watched(): Watched {
    return this.#lower === undefined ? this.#monitor : { lower: this.#lower };
  }

  /** Counts an epoch. */
  count(logs: EpochLogs): void {
    const value = watched(this.#monitor, logs);
    if (improves(this.#watched, value, this.#best, this.#minDelta)) {
      this.#best = value;
      this.waited = 0;
    } else this.waited += 1;
  }

  state(): State {
    return { best: Number.isFinite(this.#best) ? this.#best : null, waited: this.waited };
  }

  /** Restores the state of a callback, which may have fields of its own. Throws `TrainerError` if the state is damaged. */
  restore(callback: string, state: JsonValue, own: Fields<Record<string, unknown>> = {}): void {
    const fields = { best: numberOrNull, waited: wholeFromZero, ...own };
    throwProblems(storedProblems(`The checkpoint's state of ${callback}`, state, { fields }));
    const { best, waited } = state as unknown as State;
    this.#best = best ?? worst(this.#watched);
    this.waited = waited;
  }
}
