import type { Batch } from "@convkit/datasets";
import { traceNonFiniteLoss } from "../step/non-finite-loss.ts";
import { adoptMean } from "./adopt-mean.ts";
import type { Checkpointing } from "./checkpointing.ts";
import { isInterrupted, type Run } from "./run.ts";
import type { RunResult } from "./train-options.ts";

/** Stops a run because a batch's loss is not finite, and says where in the model this began. */
export async function diverge({ parts, settings, state }: Run, batches: readonly Batch[]): Promise<void> {
  const { place, where } = await traceNonFiniteLoss(parts, batches, settings.execution);
  state.diverged = true;
  const [first, last] = [state.step + 1, state.step + batches.length];
  const which = place === undefined ? `one of the steps ${first} to ${last}` : `step ${first + place}`;
  state.stop(`the loss of ${which} is not finite: ${where}`);
}

/** Writes the last checkpoint and leaves the model with its final weights. */
export async function finish(run: Run, checkpoints: Checkpointing | undefined): Promise<void> {
  const { runner, best, state, settings, callbacks, training } = run;
  await runner.sync();
  // In a step with a non-finite loss, norms have updated their statistics with non-finite values.
  if (!state.diverged) await checkpoints?.onEnd();
  await runner.adoptAverage();
  const isMean = await adoptMean(run);
  if (isMean || best.logs === undefined) await checkpoints?.saveModel();
  if (!isMean && (settings.restoreBest ?? true)) {
    best.restore();
    await checkpoints?.retryModel();
  }
  await checkpoints?.writeHistory();
  await callbacks.call("onTrainEnd", training);
}

export function resultOf(run: Run): RunResult {
  const { settings, state, clock, best } = run;
  return {
    run: settings.out,
    epochs: state.history.length,
    steps: state.step,
    best: best.logs,
    final: state.history.at(-1),
    history: state.history,
    stopReason: state.stopReason,
    interrupted: isInterrupted(run),
    diverged: state.diverged,
    seconds: clock.seconds,
    imagesPerSecond: clock.imagesPerSecond,
    timings: clock.timings,
    ...(state.swa && { swa: state.swa }),
    ...(state.validationRuntime !== undefined && { validationRuntime: state.validationRuntime }),
  };
}
