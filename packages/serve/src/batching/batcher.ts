import type { Feed, Values } from "@convkit/graph";
import { joinRows, sliceRows, stackRows } from "./rows.ts";

/** How requests are put together. */
export interface BatcherOptions {
  /** The model. */
  run(feeds: readonly Feed[]): Promise<Values[]>;
  /** The most rows that go through the model at once. */
  readonly maxBatch: number;
  /** How long a request waits for others, in milliseconds, while the model is idle. */
  readonly maxWaitMs: number;
  /** The rows that a batch of `rows` is filled up to, with zeros. */
  sizeOf(rows: number): number;
  /** Receives the rows of each batch, the milliseconds that its oldest request waited, and those that it took. */
  onBatch(rows: number, waitedMs: number, ms: number): void;
}

/** Puts requests that wait together into one batch. */
export interface Batcher {
  /** The outputs for one request. A request that is aborted leaves the queue. */
  run(feeds: readonly Feed[], signal: AbortSignal): Promise<Values[]>;
  /** How many requests, or parts of large ones, wait. */
  waiting(): number;
}

interface Job {
  readonly feeds: readonly Feed[];
  readonly rows: number;
  /** Requests of one key fit into one batch. */
  readonly key: string;
  readonly since: number;
  resolve(values: Values[]): void;
  reject(error: unknown): void;
}

/**
 * A batch starts as soon as the model is idle: what arrives while it computes goes together next, so that a lone request never waits
 * for others unless `maxWaitMs` says so. Requests of more than `maxBatch` rows are computed in parts.
 */
export function createBatcher({ run, maxBatch, maxWaitMs, sizeOf, onBatch }: BatcherOptions): Batcher {
  const queue: Job[] = [];
  let isRunning = false;
  let isPlanned = false;
  let timer: NodeJS.Timeout | undefined;

  function plan(): void {
    if (isRunning || isPlanned) return;
    isPlanned = true;
    // After the sockets that are ready now: their requests go along.
    setImmediate(() => {
      isPlanned = false;
      next();
    });
  }

  function next(): void {
    clearTimeout(timer);
    const [first] = queue;
    if (isRunning || first === undefined) return;
    const jobs: Job[] = [];
    let rows = 0;
    for (const job of queue) {
      if (job.key !== first.key || rows + job.rows > maxBatch) continue;
      jobs.push(job);
      rows += job.rows;
    }
    const left = first.since + maxWaitMs - performance.now();
    if (rows < maxBatch && left > 0) {
      timer = setTimeout(next, Math.ceil(left));
      return;
    }
    for (const job of jobs) queue.splice(queue.indexOf(job), 1);
    isRunning = true;
    void compute(jobs, rows).finally(() => {
      isRunning = false;
      next();
    });
  }

  async function compute(jobs: readonly Job[], rows: number): Promise<void> {
    const start = performance.now();
    try {
      const outputs = await run(
        stackRows(
          jobs.map(({ feeds }) => feeds),
          sizeOf(rows),
        ),
      );
      onBatch(rows, start - jobs[0]!.since, performance.now() - start);
      let from = 0;
      for (const job of jobs) {
        job.resolve(jobs.length === 1 && outputs[0]!.shape[0] === rows ? outputs : sliceRows(outputs, from, job.rows));
        from += job.rows;
      }
    } catch (error) {
      for (const job of jobs) job.reject(error);
    }
  }

  function enqueue(feeds: readonly Feed[], rows: number, signal: AbortSignal): Promise<Values[]> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        const place = queue.indexOf(job);
        if (place >= 0) queue.splice(place, 1);
        reject(signal.reason as Error);
      };
      const settled = (): void => signal.removeEventListener("abort", onAbort);
      const job: Job = {
        feeds,
        rows,
        key: feeds.map(({ shape }) => shape.slice(1).join("x")).join(),
        since: performance.now(),
        resolve: (values) => (settled(), resolve(values)),
        reject: (error) => (settled(), reject(error)),
      };
      if (signal.aborted) return reject(signal.reason as Error);
      signal.addEventListener("abort", onAbort, { once: true });
      queue.push(job);
      plan();
    });
  }

  return {
    async run(feeds, signal) {
      const rows = feeds[0]!.shape[0]!;
      if (rows <= maxBatch) return enqueue(feeds, rows, signal);
      const parts: Promise<Values[]>[] = [];
      for (let from = 0; from < rows; from += maxBatch) {
        const count = Math.min(maxBatch, rows - from);
        parts.push(enqueue(sliceRows(feeds, from, count), count, signal));
      }
      return joinRows(await Promise.all(parts));
    },
    waiting: () => queue.length,
  };
}
