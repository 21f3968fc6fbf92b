import { setModelMetadata } from "@convkit/core";
import { seedRandomStreams } from "@convkit/core/internal";
import { CallbackList } from "../callbacks/callback-list.ts";
import { showProgress } from "../callbacks/progress.ts";
import type { JsonValue } from "@convkit/files";
import { imageWeights } from "../objective/class-weights.ts";
import { BestWeights } from "../run/best-weights.ts";
import { checkMonitor } from "../run/monitor.ts";
import { checkData } from "../step/data-checks.ts";
import { StepRunner } from "../step/step-runner.ts";
import { checkTrainOptions } from "./check-options.ts";
import { fullOptions } from "./plain-options.ts";
import type { Run } from "./run.ts";
import { RunClock } from "./run-clock.ts";
import { RunState } from "./run-state.ts";
import { completeOptions, lastingSettings, resumedSettings, type Settings } from "./settings.ts";
import type { TrainOptions } from "./train-options.ts";
import { trainingView } from "./training-view.ts";

/** Checks options and data, by themselves and against each other, and fills in the defaults. */
export function checkedSettings(given: TrainOptions): Settings {
  const options = fullOptions(given);
  checkData(options.model, options.data);
  checkTrainOptions(options);
  return completeOptions(options);
}

/** Makes a run from the options; `began` are the original settings of a resumed run. */
export function createRun(options: Settings, began: Readonly<Record<string, JsonValue>> | undefined): Run {
  const settings = began === undefined ? options : resumedSettings(options, began);
  const { model, data, loss, preprocessing, augment, outputWeights, optimizer, accumulate, ema, execution } = settings;
  seedRandomStreams(model, settings.seed);
  const shows = settings.progress ?? process.stderr.isTTY;
  const callbacks = new CallbackList([...(settings.callbacks ?? []), ...(shows ? [showProgress()] : [])]);
  const gradients = callbacks.health.some((request) => request.gradients);
  const parts = { model, loss, preprocessing, augment, outputWeights };
  const run = {
    settings,
    lasting: began ?? lastingSettings(settings),
    parts,
    runner: new StepRunner(parts, { optimizer, accumulate, ema }, execution, { gradients }),
    best: new BestWeights(model, settings.monitor),
    state: new RunState(settings),
    clock: new RunClock(),
    callbacks,
    imageWeights: imageWeights(settings),
  };
  const training = trainingView(run);
  checkMonitor(settings.monitor, training.monitors);
  const { classes, decoding } = data.train;
  const told = { ...(decoding && { images: decoding }), ...settings.metadata };
  setModelMetadata(model, { name: model.name, ...told, classes, preprocessing });
  return { ...run, training };
}
