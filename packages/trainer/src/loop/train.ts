import { type Preprocessing, summarize, withoutAux } from "@convkit/core";
import type { DataSplits } from "@convkit/datasets";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { bestWeights } from "../run/best-weights.ts";
import { type Callback, joinCallbacks } from "../callbacks/callback.ts";
import { type CheckpointOptions, checkpointing } from "./checkpointing.ts";
import { classWeighting } from "../objective/class-weights.ts";
import { checkData } from "../step/data-checks.ts";
import type { ExecutionOptions } from "@convkit/graph";
import type { EpochLogs } from "../run/history.ts";
import { writeHistory } from "../run/history.ts";
import { type ModelMetadata, saveModel } from "../run/model-files.ts";
import { checkMonitor, type Monitor } from "../run/monitor.ts";
import { defaultLoss, type Loss, type LossName } from "../objective/objective.ts";
import { completeOptimizer, type OptimizerConfig, type OptimizerName } from "../optimization/optimizer-config.ts";
import { checkOptions } from "./check-options.ts";
import { runDirectory } from "../run/run-directory.ts";
import { createRunner } from "../step/step-runner.ts";
import type { Schedule } from "../optimization/schedules.ts";
import { Session } from "./run-state.ts";
import type { Augmentation } from "../step/augmentation.ts";
import { testEpoch, trainEpoch } from "./epoch.ts";

/** What to train, on what, and how. */
export interface TrainOptions {
  readonly model: LayersModel;
  readonly data: DataSplits;
  /** Cross-entropy of the classes unless given, or of yes and no where the model has one output. */
  readonly loss?: LossName | Loss;
  readonly optimizer?: OptimizerName | OptimizerConfig;
  readonly schedule?: Schedule;
  readonly epochs: number;
  /** Images a step. */
  readonly batch?: number;
  /** Decides the order of the images and all that is drawn while training; the weights are the model's own. */
  readonly seed?: number;
  readonly preprocessing?: Preprocessing;
  readonly augment?: Augmentation;
  /** What an image of each class counts, in Keras' way: the loss is the mean of the weighted losses. */
  readonly classWeights?: readonly number[];
  /** What each image counts, by its place in the training data. */
  readonly sampleWeights?: Float32Array;
  /** What each output's loss counts; the first output is the one that predicts. */
  readonly outputWeights?: readonly number[];
  /**
   * Steps that are given to TensorFlow at once, which pays where a step takes but a few milliseconds. Each has the learning
   * rate of its own schedule; an interruption waits for the last of them. Decided by the network's size unless given.
   */
  readonly stepsPerCall?: number;
  /** Batches whose gradients are averaged before the weights change. */
  readonly accumulate?: number;
  /** Decay of a moving average of the weights, which is what is validated, kept and saved. */
  readonly ema?: number;
  readonly callbacks?: readonly Callback[];
  /** What makes an epoch the best: `valLoss` where there is validation data, else `loss`. */
  readonly monitor?: Monitor;
  /** Whether the model ends with the best epoch's weights. */
  readonly restoreBest?: boolean;
  /** The run directory to write history, checkpoints and the best model to. */
  readonly out?: string;
  readonly checkpoints?: CheckpointOptions;
  /** Goes on from the newest checkpoint in `out`, or begins anew where there is none yet. */
  readonly resume?: boolean;
  /** What the saved model says of itself. */
  readonly metadata?: ModelMetadata;
  /** Precision, threads and determinism of the compiled step; `eager` for none. */
  readonly execution?: ExecutionOptions;
  /** Ends the run after the step that is being done; all that was learned is kept. */
  readonly signal?: AbortSignal;
}

/** Where the seconds of a run went. */
export interface Timings {
  /** In the first call, in which the graph is made. */
  readonly first: number;
  /** In the other training steps. */
  readonly step: number;
  /** Waiting for images while nothing else could be done. */
  readonly data: number;
  readonly validation: number;
  /** Writing checkpoints, models, event files, and all other callbacks. */
  readonly callbacks: number;
}

/** What came of a run. */
export interface RunResult {
  readonly run: string | undefined;
  readonly epochs: number;
  readonly steps: number;
  readonly best: EpochLogs | undefined;
  readonly final: EpochLogs | undefined;
  readonly history: readonly EpochLogs[];
  readonly stopReason: string | undefined;
  readonly interrupted: boolean;
  /** Whether it stopped since the loss of a step was not finite; `stopReason` tells where that began. */
  readonly diverged: boolean;
  readonly seconds: number;
  /** Of the training steps after the first call. */
  readonly imagesPerSecond: number;
  readonly timings: Timings;
}

/**
 * Trains a model: steps over seeded batches, validation after each epoch, best weights kept and put back at the end.
 * A step whose loss is not finite
 * changes no weights and ends the run. With `out`, the run directory holds history, checkpoints and the best model at every moment. Throws `TrainerError`
 * before the first step where data and model do not fit.
 */
export async function train(options: TrainOptions): Promise<RunResult> {
  const {
    model,
    data,
    epochs,
    batch = 32,
    seed = 0,
    preprocessing = {},
    callbacks = [],
    out,
    restoreBest = true,
  } = options;
  checkData(model, data);
  checkOptions(options);
  const loss = typeof options.loss === "string" ? { name: options.loss } : (options.loss ?? defaultLoss(model));
  const optimizerConfig = completeOptimizer(options.optimizer ?? "sgd");
  const monitor = options.monitor ?? (data.validation === undefined ? "loss" : "valLoss");
  const metadata = options.metadata ?? { name: model.name, classes: data.train.classes, preprocessing };
  const { augment, outputWeights, accumulate, ema } = options;
  const step = { model, loss, preprocessing, ...(augment && { augment }), ...(outputWeights && { outputWeights }) };
  const execution = { seed, ...options.execution };
  const runner = createRunner(
    step,
    { optimizer: optimizerConfig, ...(accumulate !== undefined && { accumulate }), ...(ema !== undefined && { ema }) },
    execution,
  );
  const best = bestWeights(model, monitor);
  const hooks = joinCallbacks(callbacks);
  const run = new Session({
    step,
    execution,
    data,
    epochs,
    batch,
    stepsPerCall: accumulate === undefined ? (options.stepsPerCall ?? usualStepsPerCall(options)) : 1,
    seed,
    runner,
    hooks,
    weighting: classWeighting(options),
    baseLearningRate: optimizerConfig.learningRate,
    schedule: options.schedule ?? { name: "constant" },
    out,
    signal: options.signal,
  });
  const places = out === undefined ? undefined : runDirectory(out);
  const checkpoints = places && checkpointing(places, { run, best, runner, monitor, metadata, ...options.checkpoints });
  const began = performance.now();
  try {
    checkMonitor(monitor, run.monitors);
    if (options.resume === true) await checkpoints?.restore();
    await hooks.call("onTrainBegin", run);
    while (run.epoch < epochs && run.stopReason === undefined) {
      const trained = await trainEpoch(run, () => checkpoints?.onStep());
      if (trained === undefined) break;
      await runner.swapAverage();
      const tested = await testEpoch(run);
      if (tested === undefined) {
        await runner.swapAverage();
        break;
      }
      const row = { ...trained, ...tested, seconds: run.endEpoch() };
      run.history.push(row);
      await run.timed("callbacks", async () => {
        await run.syncWeights();
        const improved = best.offer(row);
        if (places !== undefined) await writeHistory(places.history, run.history);
        if (improved) await checkpoints?.saveBest();
        await hooks.call("onEpochEnd", row.epoch, row, run);
        await runner.swapAverage();
        await checkpoints?.onEpochEnd(row);
      });
    }
    await run.syncWeights();
    // The statistics that norms gathered in a step with a bad loss are bad too.
    if (!run.diverged) await checkpoints?.onEnd();
    await runner.swapAverage();
    if (restoreBest) best.restore();
    if (places !== undefined && best.logs === undefined) await saveModel(withoutAux(model), places.model, metadata);
    await hooks.call("onTrainEnd", run);
  } finally {
    best.dispose();
    await runner.dispose();
  }
  return {
    run: out,
    epochs: run.history.length,
    steps: run.step,
    best: best.logs,
    final: run.history.at(-1),
    history: run.history,
    stopReason: run.stopReason,
    interrupted: options.signal?.aborted ?? false,
    diverged: run.diverged,
    seconds: (performance.now() - began) / 1000,
    imagesPerSecond: run.imagesPerSecond,
    timings: run.timings,
  };
}

/**
 * Ten where all of a step's multiply-adds are done in a millisecond or so, so that calls would cost as much; else one. One
 * too where bits count: a deterministic run is to be taken up after any step.
 */
function usualStepsPerCall({ model, batch = 32, execution }: TrainOptions): number {
  const { macs } = summarize(model);
  return execution?.deterministic !== true && macs !== null && macs * batch < 100e6 ? 10 : 1;
}
