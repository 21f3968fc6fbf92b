import type { Batch, Dataset } from "@convkit/datasets";
import { checkBatch } from "../step/data-checks.ts";
import type { Run } from "./run.ts";

/** The remaining batches of an epoch, in groups; one call of the engine takes a group. */
export class EpochBatches {
  readonly #data: Dataset;
  readonly #batches: AsyncIterator<Batch>;
  readonly #groups: AsyncIterator<Batch[]>;
  #next: Promise<IteratorResult<Batch[]>>;

  constructor({ settings, state }: Run) {
    const { data, batch, seed, sampling, stepsPerCall } = settings;
    const order = { batch, seed, shuffle: true, epoch: state.epoch, skip: state.batchesTaken };
    // A data set of the user's own may not know the option.
    const drawn = sampling === undefined ? order : { ...order, sampling };
    this.#data = data.train;
    this.#batches = data.train.batches(drawn)[Symbol.asyncIterator]();
    this.#groups = grouped(this.#batches, stepsPerCall);
    this.#next = ask(this.#groups);
  }

  /** The next group; undefined at the end of the epoch. */
  async fetch(): Promise<Batch[] | undefined> {
    const { done, value } = await this.#next;
    if (done === true) return undefined;
    for (const batch of value) checkBatch(batch, this.#data);
    return value;
  }

  /** Reads the next group while the engine computes with the current one. */
  fetchAhead(): void {
    this.#next = ask(this.#groups);
  }

  async close(): Promise<void> {
    await this.#batches.return?.();
  }
}

/** Groups batches by `size`. Batches that do not fill a group, and a smaller last batch, come one by one. */
async function* grouped(batches: AsyncIterator<Batch>, size: number): AsyncGenerator<Batch[]> {
  let group: Batch[] = [];
  for (;;) {
    const item = await batches.next();
    const fits = item.done !== true && (group.length === 0 || group[0]!.labels.length === item.value.labels.length);
    if (!fits) {
      for (const batch of group) yield [batch];
      group = [];
    }
    if (item.done === true) return;
    group.push(item.value);
    if (group.length === size) {
      yield group;
      group = [];
    }
  }
}

/** Requests the next group. An error is thrown only when the group is awaited. */
function ask(groups: AsyncIterator<Batch[]>): Promise<IteratorResult<Batch[]>> {
  const next = groups.next();
  next.catch(() => {});
  return next;
}
