import type { Batch, Dataset } from "@convkit/datasets";
import { checkBatch } from "../step/data-checks.ts";
import { batchesOf, wholeSize } from "../workers/worker-part.ts";
import type { Run } from "./run.ts";

/** Batches of one call of the engine. */
export interface Group {
  readonly batches: readonly Batch[];
  /** The pass over the training data that they are from, counted from 0. */
  readonly pass: number;
}

/**
 * The batches of a training, epoch by epoch, in groups for one call of the engine. An epoch is a pass over the data; with
 * `stepsPerEpoch` it has so many batches, and goes on where the epoch before it ended.
 */
export class TrainingBatches {
  readonly #run: Run;
  readonly #data: Dataset;
  #pass: number;
  /** The rest of the pass that is being read. */
  #open: AsyncIterator<Batch> | undefined;
  #groups: AsyncIterator<Group> | undefined;
  #next: Promise<IteratorResult<Group>> | undefined;

  constructor(run: Run) {
    this.#run = run;
    this.#data = run.settings.data.train;
    this.#pass = run.state.pass;
  }

  /** Begins to read an epoch, or its rest after a resume. */
  beginEpoch(): void {
    this.#groups = this.#groupsOfEpoch();
    this.fetchAhead();
  }

  /** The next group; undefined at the end of the epoch. */
  async fetch(): Promise<Group | undefined> {
    const { done, value } = await this.#next!;
    if (done === true) return undefined;
    for (const batch of value.batches) checkBatch(batch, this.#data);
    return value;
  }

  /** Reads the next group while the engine computes with the current one. */
  fetchAhead(): void {
    this.#next = this.#groups!.next();
    // An error is thrown only when the group is awaited.
    this.#next.catch(() => {});
  }

  async close(): Promise<void> {
    await this.#open?.return?.();
  }

  /** Batches that do not fill a group, and a smaller last batch of a pass, come one by one. */
  async *#groupsOfEpoch(): AsyncGenerator<Group> {
    const { settings, state } = this.#run;
    let left = (settings.stepsPerEpoch ?? Infinity) - state.batchesDone;
    while (left > 0) {
      const skip = this.#open === undefined && this.#pass === state.pass ? state.batchesTaken : 0;
      const isWhole = this.#open === undefined && skip === 0;
      this.#open ??= this.#openPass(skip);
      let count = 0;
      for await (const batches of grouped(this.#open, { size: settings.stepsPerCall, most: left })) {
        count += batches.length;
        yield { batches, pass: this.#pass };
      }
      left -= count;
      if (left > 0) {
        this.#open = undefined;
        this.#pass += 1;
      }
      // Data that yields nothing would be read for ever.
      if (settings.stepsPerEpoch === undefined || (isWhole && count === 0)) return;
    }
  }

  #openPass(skip: number): AsyncIterator<Batch> {
    return drawnBatches(this.#run, { epoch: this.#pass, skip })[Symbol.asyncIterator]();
  }
}

/** The batches of a pass over the training data, or this worker's parts of them, in the order and with the draws of the run's settings. */
export function drawnBatches(
  { settings: { data, batch, seed, sampling, repeats = 1 }, workers }: Run,
  pass: { readonly epoch: number; readonly skip?: number },
): AsyncIterable<Batch> {
  // A data set of the user's own may not know these options.
  const drawn = { ...(sampling && { sampling }), ...(repeats > 1 && { repeats }) };
  return batchesOf(data.train, { batch, seed, shuffle: true, ...pass, ...drawn }, workers?.worker);
}

/** Groups `most` batches by `size`. */
async function* grouped(
  batches: AsyncIterator<Batch>,
  { size, most }: { readonly size: number; readonly most: number },
): AsyncGenerator<Batch[]> {
  let group: Batch[] = [];
  for (let read = 0; ; read += 1) {
    const item = read < most ? await batches.next() : ({ done: true, value: undefined } as const);
    const fits = item.done !== true && (group.length === 0 || wholeSize(group[0]!) === wholeSize(item.value));
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
