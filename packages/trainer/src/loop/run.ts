import type { JsonValue } from "@convkit/files";
import type { ImageWeights } from "../objective/class-weights.ts";
import type { CallbackList } from "../callbacks/callback-list.ts";
import type { BestWeights } from "../run/best-weights.ts";
import type { StepRunner } from "../step/step-runner.ts";
import type { StepParts } from "../step/training-loss.ts";
import type { Training } from "../callbacks/callback.ts";
import type { RunClock } from "./run-clock.ts";
import type { RunState } from "./run-state.ts";
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
}

/** True if the user has asked the run to end. */
export function isInterrupted({ settings }: Pick<Run, "settings">): boolean {
  return settings.signal?.aborted ?? false;
}
