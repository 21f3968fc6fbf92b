import { TrainerError } from "../trainer-error.ts";
import type { SavedRun } from "./saved-run.ts";
import type { Run } from "./run.ts";

/** Gives a run the best weights and the counters of a checkpoint. Throws `TrainerError` if it belongs to another model. */
export function restoreRun(run: Run, { step, state, arrays }: SavedRun): void {
  if (state.best !== null) {
    checkComplete(run, step, run.best.load(state.best, arrays));
    run.best.restore();
  }
  const { metrics, ...counters } = state.run;
  run.state.restore(counters);
  if (metrics !== undefined) run.parts.metrics.restore(metrics);
  run.clock.restore(state.clock);
  run.callbacks.restore(state.callbacks);
}

/** Throws if a checkpoint has not all arrays of the run. */
export function checkComplete({ settings }: Run, step: number, missing: readonly string[]): void {
  if (missing.length === 0) return;
  throw new TrainerError(
    `The checkpoint of step ${step} in ${settings.out} does not fit ${settings.model.name}: it lacks ${missing.join(", ")}, or has other shapes.`,
  );
}
