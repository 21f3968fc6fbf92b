/** What a tracker is told of a training at its start. */
export interface TrackedRun {
  /** The name of the run: that of its directory, or of the model. */
  readonly name: string;
  /** Settings of the run as plain text. */
  readonly settings: Readonly<Record<string, string>>;
  /** What `start` returned before this run was resumed: the tracker goes on with that run. Missing for a new run. */
  readonly id?: string | undefined;
}

/** How a training ended: `failed` by an error or a loss that is not finite, `interrupted` by its signal. */
export type TrackedEnd = "finished" | "failed" | "interrupted";

/**
 * A service that keeps the numbers of trainings. Each call rejects if the service cannot be reached or refuses; `signal` ends a call
 * that takes too long.
 */
export interface Tracker {
  /** Its name in messages. */
  readonly name: string;
  /** Begins a run, or goes on with `run.id`; may return the id by which a resumed training finds the run again. */
  start(run: TrackedRun, signal: AbortSignal): Promise<string | void>;
  /** Keeps finite numbers by their names, of a step of the training. */
  log(values: Readonly<Record<string, number>>, step: number, signal: AbortSignal): Promise<void>;
  end(how: TrackedEnd, signal: AbortSignal): Promise<void>;
}
