import type { Batch } from "@convkit/datasets";
import { drawnBatches } from "./training-batches.ts";
import { isInterrupted, type Run } from "./run.ts";
import { validate } from "./validate.ts";
import { withValidationTest } from "./validation-test.ts";

/** Adds the weights to their mean at the end of an epoch from `swa.start` on. */
export async function addToMean({ settings, state, runner }: Run): Promise<void> {
  const { swa } = settings;
  if (swa === undefined || state.epoch < swa.start) return;
  await runner.addToMean();
  state.averaged += 1;
}

/**
 * Gives the model the mean of its weights (stochastic weight averaging), computes the statistics of its norms anew on
 * the training data, and validates it. Returns false if there is no mean, or if the run was interrupted.
 */
export async function adoptMean(run: Run): Promise<boolean> {
  const { settings, state, runner } = run;
  const { swa } = settings;
  if (swa === undefined || state.diverged || isInterrupted(run)) return false;
  if (state.averaged === 0) {
    settings.onNote(`The training ended before epoch ${swa.start}, so swa has no weights to average.`);
    return false;
  }
  await runner.adoptMean(statisticsBatches(run));
  const validated = await withValidationTest(run, (test) => validate(run, test));
  state.swa = { epochs: state.averaged, ...validated };
  return true;
}

/**
 * One pass over the training data, or `stepsPerEpoch` batches, in an order that no epoch has had, drawn as the training draws
 * its batches: what PyTorch's `update_bn` gets from the training's loader.
 */
async function* statisticsBatches(run: Run): AsyncGenerator<Batch> {
  const { stepsPerEpoch } = run.settings;
  let count = 0;
  for await (const each of drawnBatches(run, { epoch: run.state.pass + 1 })) {
    yield each;
    each.release?.();
    count += 1;
    if (count === stepsPerEpoch) return;
  }
}
