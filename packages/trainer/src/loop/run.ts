import type { JsonValue } from "@convkit/files";
import type { ImageWeights } from "../objective/class-weights.ts";
import type { CallbackList } from "../callbacks/callback-list.ts";
import type { BestWeights } from "../run/best-weights.ts";
import type { StepRunner } from "../step/step-runner.ts";
import type { StepParts } from "../step/training-loss.ts";
import type { Training } from "../callbacks/callback.ts";
import type { RunClock } from "./run-clock.ts";
import type { RunState } from "./run-state.ts";
import type { RunWorkers } from "../workers/run-workers.ts";
import type { Settings } from "./settings.ts";

/** A training in progress: its parts and its state. */
export interface Run {
  readonly settings: Settings;
  /** The run's original settings, for its checkpoints. */
  readonly lasting: Readonly<Record<string, JsonValue>>;
  readonly parts: StepParts;
  readonly runner: StepRunner;
  readonly best: BestWeights;
  readonly state: RunState;
  readonly clock: RunClock;
  readonly callbacks: CallbackList;
  /** The callbacks' view of the run. */
  readonly training: Training;
  /** For each output, factors for the loss of each image in a batch. */
  readonly imageWeights: ImageWeights;
  /** The processes that train together; undefined in a run of one. */
  readonly workers: RunWorkers | undefined;
}

/** True if the user has asked the run to end; with several workers, once all of them know. */
export function isInterrupted({ settings, workers, state }: Pick<Run, "settings" | "workers" | "state">): boolean {
  if (workers !== undefined) return workers.isAsked && state.stopReason === undefined;
  return settings.signal?.aborted ?? false;
}

/** True if the run ends after the last step: the user or a callback has asked for it; with several workers, once all of them know. */
export function isEnding(run: Pick<Run, "settings" | "workers" | "state">): boolean {
  if (run.workers !== undefined) return run.workers.isAsked;
  return run.state.stopReason !== undefined || isInterrupted(run);
}

/** Whether this worker asks the others to end the run. */
export function asksToEnd({ settings, state }: Pick<Run, "settings" | "state">): boolean {
  return state.stopReason !== undefined || (settings.signal?.aborted ?? false);
}
