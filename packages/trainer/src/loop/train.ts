import type { Batch } from "@convkit/datasets";
import { isMeasured } from "../health/step-health.ts";
import type { EpochLogs } from "../run/history.ts";
import { claimRunDirectory, type RunClaim } from "../run/run-directory.ts";
import { hasAccuracy } from "../objective/output-tasks.ts";
import { absentNotes, checkRead } from "../step/data-checks.ts";
import type { BatchResult } from "../step/batch-result.ts";
import { addToMean } from "./adopt-mean.ts";
import { Checkpointing, newestCheckpoint } from "./checkpointing.ts";
import { checkedSettings, createRun } from "./create-run.ts";
import { diverge, finish, resultOf } from "./end-run.ts";
import { asksToEnd, isEnding, isInterrupted, type Run } from "./run.ts";
import { joinWorkers } from "../workers/join-workers.ts";
import { settingsOfWorker } from "../workers/run-workers.ts";
import type { Settings } from "./settings.ts";
import { type Group, TrainingBatches } from "./training-batches.ts";
import type { RunResult, TrainOptions } from "./train-options.ts";
import { validate } from "./validate.ts";
import { withValidationTest } from "./validation-test.ts";

/**
 * Trains a model with seeded steps and a validation after each epoch. At the end it restores the weights of the best
 * epoch. A step with a non-finite loss changes no weight and ends the run. With `out`, the run directory always holds
 * history, checkpoints and the best model. In a process that has joined a cluster (`distribute` of @convkit/graph), all workers train
 * one model together: each step's gradients, losses and metrics are those of the whole batch, of which each worker takes a part, and
 * only the chief writes the run directory. Throws
 * `PeerError` if another worker is lost. The model then has classes and preprocessing in its metadata. Throws
 * `TrainerError` before the first step for unknown or invalid options, for data that does not fit the model, and for a
 * run directory that is in use or has a run already.
 */
export async function train(options: TrainOptions): Promise<RunResult> {
  const settings = settingsOfWorker(checkedSettings(options));
  const { out, claim, resume } = settings;
  if (out === undefined || claim !== undefined) return trainRun(settings, claim);
  const own = await claimRunDirectory(out, { fresh: resume === undefined });
  try {
    return await trainRun(settings, own);
  } finally {
    await own.release();
  }
}

async function trainRun({ signal, ...rest }: Settings, claim: RunClaim | undefined): Promise<RunResult> {
  const signals = [signal, claim?.lost].filter((each) => each !== undefined);
  const settings = { ...rest, signal: AbortSignal.any(signals) };
  const saved = await newestCheckpoint(settings);
  const run = createRun(settings, saved?.state.settings);
  const { out } = settings;
  const checkpoints = out === undefined || claim === undefined ? undefined : new Checkpointing(run, out, claim);
  let batches: TrainingBatches | undefined;
  let hasBegun = false;
  try {
    for (const note of await absentNotes(settings.data.train)) settings.onNote(note);
    if (saved !== undefined) await checkpoints?.restore(saved);
    if (run.workers !== undefined) await joinWorkers(run, saved);
    batches = new TrainingBatches(run);
    hasBegun = true;
    await run.callbacks.call("onTrainBegin", run.training);
    while (run.state.epoch < settings.epochs && !isEnding(run)) {
      const trained = await trainEpoch(run, batches, checkpoints);
      if (trained === undefined) break;
      const logs = await run.runner.withAverage(async () => {
        const validated = await withValidationTest(run, (test) => validate(run, test));
        if (validated === undefined) return undefined;
        const metrics = { ...trained.metrics, ...validated.metrics };
        return keep(run, checkpoints, {
          ...trained,
          ...validated,
          ...(Object.keys(metrics).length > 0 && { metrics }),
        });
      });
      if (logs === undefined) break;
      await run.clock.timed("callbacks", async () => checkpoints?.onEpochEnd(logs));
      await run.workers?.agree(asksToEnd(run));
    }
    await finish(run, checkpoints);
  } catch (error) {
    // What the callbacks throw now would hide the first error.
    if (hasBegun) await run.callbacks.call("onTrainError", error, run.training).catch(() => undefined);
    throw error;
  } finally {
    await batches?.close();
    run.best.dispose();
    await run.workers?.dispose();
    await run.runner.dispose();
  }
  return resultOf(run);
}

/** The steps of an epoch, or its rest after a resume; undefined if it was interrupted. */
async function trainEpoch(
  run: Run,
  batches: TrainingBatches,
  checkpoints: Checkpointing | undefined,
): Promise<TrainedEpoch | undefined> {
  const { state, settings, runner } = run;
  const epoch = state.epoch + 1;
  run.clock.beginEpoch();
  await run.callbacks.call("onEpochBegin", epoch, run.training);
  await runner.refresh();
  batches.beginEpoch();
  let group: Group | undefined;
  let isRead = false;
  while (!isEnding(run)) {
    group = await run.clock.timed("data", () => batches.fetch());
    isRead = group === undefined;
    if (group === undefined) break;
    const stepping = step(run, group.batches);
    batches.fetchAhead();
    const steps = await stepping;
    if (steps === undefined) {
      await diverge(run, group.batches);
      return undefined;
    }
    await log(run, group, steps);
    for (const batch of group.batches) batch.release?.();
    await checkpoints?.onStep();
  }
  const hasEnded = isRead || state.batchesDone >= state.stepsPerEpoch;
  if (isInterrupted(run) || !hasEnded) return undefined;
  if (state.batchesDone % settings.accumulate !== 0) await runner.applyWaiting(state.lastLearningRate);
  const { loss, correct, images } = state.sums;
  checkRead(images, settings.data.train);
  const { metrics, tasks } = run.parts;
  const { accuracy: own, ...results } = metrics.results();
  metrics.reset();
  const accuracy = hasAccuracy(tasks[0]!) ? correct / images : own;
  return {
    epoch,
    loss: loss / images,
    ...(accuracy !== undefined && { accuracy }),
    lr: state.lastLearningRate,
    ...(Object.keys(results).length > 0 && { metrics: results }),
  };
}

type TrainedEpoch = Omit<EpochLogs, "seconds" | "valLoss" | "valAccuracy">;
type DoneStep = BatchResult & { readonly learningRate: number };

/** Runs a step for each batch of a group; undefined if a loss was not finite. */
async function step(run: Run, group: readonly Batch[]): Promise<readonly DoneStep[] | undefined> {
  const { state, runner } = run;
  const learningRates = group.map((_, ahead) => state.learningRate(ahead));
  for (let place = 0; place < group.length; place += 1)
    await run.callbacks.call("onTrainBatchBegin", state.batchesDone + place, run.training);
  const began = performance.now();
  const results = await runner.train(group, {
    learningRates,
    weights: run.imageWeights,
    asks: asksToEnd(run),
    isMeasured: (place) => isStepMeasured(run, place),
  });
  if (results === undefined) return undefined;
  const health = await applyWaiting(run, group.length, learningRates.at(-1)!);
  const images = results.reduce((sum, result) => sum + result.images, 0);
  run.workers?.note(results);
  run.clock.endCall(images, (performance.now() - began) / 1000);
  return results.map((result, index) => ({ health, ...result, learningRate: learningRates[index]! }));
}

/** Whether a callback wants to know the norms of the step that comes `ahead` steps after the next one. */
function isStepMeasured({ callbacks, state, settings }: Run, ahead: number): boolean {
  const { accumulate } = settings;
  if ((state.batchesDone + ahead + 1) % accumulate !== 0) return false;
  return callbacks.health.some((request) => isMeasured(request, state.step + ahead + 1, accumulate));
}

/** Updates the weights if `batches` more complete the accumulated gradients; returns the norms of a measured step. */
async function applyWaiting({ runner, state, settings }: Run, batches: number, learningRate: number) {
  const isDue = (state.batchesDone + batches) % settings.accumulate === 0;
  return isDue ? runner.applyWaiting(learningRate) : undefined;
}

/** Counts the steps of a group and calls the callbacks for each. */
async function log(run: Run, { batches, pass }: Group, steps: readonly DoneStep[]): Promise<void> {
  const { state, clock, callbacks, training } = run;
  for (const [index, done] of steps.entries()) {
    const { place } = batches[index]!;
    state.endStep({ ...done, pass, place });
    for (const part of done.statistics) run.parts.metrics.update(part);
    const { sums, batchesDone } = state;
    const logs = {
      epoch: state.epoch + 1,
      batch: batchesDone,
      size: done.images,
      stepLoss: done.loss,
      loss: sums.loss / sums.images,
      ...(hasAccuracy(run.parts.tasks[0]!) && { accuracy: sums.correct / sums.images }),
      lr: done.learningRate,
      imagesPerSecond: clock.imagesPerSecond,
      ...(done.health && { health: done.health }),
    };
    await callbacks.call("onTrainBatchEnd", batchesDone - 1, logs, training);
  }
}

/** Ends the epoch: stores its logs, and its weights if they are the best so far. */
async function keep(
  run: Run,
  checkpoints: Checkpointing | undefined,
  epoch: Omit<EpochLogs, "seconds">,
): Promise<EpochLogs> {
  const { state, clock, callbacks, training } = run;
  const logs: EpochLogs = { ...epoch, seconds: clock.secondsInEpoch };
  state.endEpoch(logs);
  clock.endEpoch();
  await clock.timed("callbacks", async () => {
    await addToMean(run);
    await run.runner.sync();
    const isBest = run.best.offer(logs);
    await checkpoints?.writeHistory();
    if (isBest) await checkpoints?.saveModel();
    await callbacks.call("onEpochEnd", logs.epoch, logs, training);
  });
  return logs;
}
