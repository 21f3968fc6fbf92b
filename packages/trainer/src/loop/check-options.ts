import { modelMetadata } from "@convkit/core";
import {
  aboveZero,
  checkOptions,
  oneOf,
  someText,
  type OptionNames,
  shown,
  trueOrFalse,
  wholeFromOne,
  wholeFromZero,
} from "@convkit/errors";
import { fieldProblems, type Fields, throwProblems, valueProblems } from "../checks/fields.ts";
import { isOptimizer } from "../optimization/own-optimizer.ts";
import { planProblems } from "../plan/plan-checks.ts";
import { hasSameClasses } from "../step/data-checks.ts";
import { TrainerError } from "../trainer-error.ts";
import type { FullOptions } from "./plain-options.ts";
import type { CheckpointOptions, ResumeOptions, TrainOptions } from "./train-options.ts";

export const trainOptionNames: OptionNames<TrainOptions> = {
  model: true,
  data: true,
  validation: true,
  stratify: true,
  sampling: true,
  repeats: true,
  validationRuntime: true,
  loss: true,
  optimizer: true,
  schedule: true,
  epochs: true,
  batch: true,
  seed: true,
  preprocessing: true,
  augment: true,
  classWeights: true,
  sampleWeights: true,
  outputWeights: true,
  lossWeights: true,
  metrics: true,
  onNote: true,
  stepsPerCall: true,
  stepsPerEpoch: true,
  validationSteps: true,
  accumulate: true,
  syncBatchNorm: true,
  ema: true,
  swa: true,
  callbacks: true,
  progress: true,
  monitor: true,
  restoreBest: true,
  out: true,
  claim: true,
  checkpoints: true,
  resume: true,
  metadata: true,
  execution: true,
  signal: true,
  distill: true,
};

const checkpoints: Fields<CheckpointOptions> = {
  every: wholeFromZero,
  minutes: aboveZero,
  keep: wholeFromOne,
  keepBest: wholeFromZero,
  onError: ["a function", (value) => typeof value === "function"],
};

const resume: Fields<ResumeOptions> = { anyMachine: trueOrFalse };

/** What Keras' users write, and where it is said here. */
const elsewhere: Readonly<Record<string, string>> = {
  learningRate: 'it belongs to the optimizer, optimizer: { name: "adam", learningRate: 0.001 }',
  lr: 'the learning rate belongs to the optimizer, optimizer: { name: "adam", learningRate: 0.001 }',
  validationSplit: "it is called validation, a share such as 0.1",
  verbose: "it is called progress, true or false",
  classWeight: "it is called classWeights, a list with one number for each class",
};

/** Refuses unknown, invalid and incompatible options before the first step. */
export function checkTrainOptions(options: FullOptions): void {
  const strange = Object.keys(options).find((key) => Object.hasOwn(elsewhere, key));
  if (strange !== undefined) throw new TrainerError(`train has no ${strange}: ${elsewhere[strange]}.`);
  checkOptions("train", options, trainOptionNames, (message) => new TrainerError(message));
  const { model, data, epochs, batch = 32, stepsPerCall = 1, accumulate, ema, schedule, monitor } = options;
  const { sampleWeights, outputWeights, lossWeights, metrics } = options;
  const augment = typeof options.augment === "function" ? undefined : options.augment;
  const own = isOptimizer(options.optimizer) ? undefined : options.optimizer;
  const optimizer = typeof own === "string" ? { name: own } : own;
  throwProblems([
    ...valueProblems("epochs", epochs, wholeFromOne),
    ...valueProblems("batch", batch, wholeFromOne),
    ...valueProblems(
      "validationRuntime",
      options.validationRuntime ?? "auto",
      oneOf(["auto", "openvino", "onnxruntime"]),
    ),
    ...(options.swa !== undefined && options.restoreBest === true
      ? ["swa ends with the mean of the weights, not with the best epoch's: leave out restoreBest."]
      : []),
    ...(options.swa != null && options.swa.start > epochs
      ? [`swa.start must be an epoch of the run, 1 to ${epochs}, not ${String(options.swa.start)}.`]
      : []),
    ...valueProblems("stepsPerEpoch", options.stepsPerEpoch ?? 1, wholeFromOne),
    ...valueProblems("validationSteps", options.validationSteps ?? 1, wholeFromOne),
    ...(options.validationSteps !== undefined && data.validation === undefined
      ? ["validationSteps needs validation images: give validation as well."]
      : []),
    ...valueProblems("sampling", options.sampling ?? "balanced", oneOf(["balanced"])),
    ...(options.sampling !== undefined && !("select" in data.train)
      ? [`sampling draws images from known places, but ${data.train.name} is read in order: leave it out.`]
      : []),
    ...(options.sampling !== undefined && data.train.classes.length === 0
      ? [`sampling draws classes, but the images of ${data.train.name} have none: leave it out.`]
      : []),
    ...valueProblems("repeats", options.repeats ?? 1, wholeFromOne),
    ...((options.repeats ?? 1) > 1 && !("select" in data.train)
      ? [`repeats needs images with known places, but ${data.train.name} is read in order: leave it out.`]
      : []),
    ...valueProblems("stepsPerCall", stepsPerCall, wholeFromOne),
    ...valueProblems("syncBatchNorm", options.syncBatchNorm ?? false, trueOrFalse),
    ...planProblems({
      loss: typeof options.loss === "string" ? { name: options.loss } : options.loss,
      metrics,
      optimizer,
      schedule,
      monitor,
      accumulate,
      ema,
      swa: options.swa,
      augment,
    } as Parameters<typeof planProblems>[0]),
    ...callbackProblems(options.callbacks),
    ...fieldProblems("checkpoints", options.checkpoints, checkpoints),
    ...valueProblems("restoreBest", options.restoreBest ?? true, trueOrFalse),
    ...valueProblems("progress", options.progress ?? true, trueOrFalse),
    ...valueProblems("out", options.out ?? "", someText),
    ...valueProblems("seed", options.seed ?? 0, wholeFromZero),
    ...runProblems(options),
    ...(sampleWeights instanceof Float32Array || sampleWeights === undefined
      ? weightProblems("sampleWeights", sampleWeights, data.train.size, "image")
      : Object.entries(sampleWeights).flatMap(([output, own]) =>
          weightProblems(`sampleWeights.${output}`, own, data.train.size, "image"),
        )),
    ...weightProblems("outputWeights", outputWeights, model.outputs.length, "output of the model"),
    ...(lossWeights === undefined
      ? []
      : weightProblems("lossWeights", Object.values(lossWeights), Object.keys(lossWeights).length, "output")),
    ...(lossWeights === undefined || outputWeights === undefined
      ? []
      : ["Give lossWeights or outputWeights, not both."]),
    ...valueProblems("onNote", options.onNote ?? (() => {}), ["a function", (value) => typeof value === "function"]),
    ...scheduleProblems(options),
    ...classProblems(options),
  ]);
}

/** Callbacks are objects with hooks; a function that makes one, such as earlyStopping, must be called. */
function callbackProblems(callbacks: unknown): string[] {
  if (callbacks === undefined) return [];
  if (!Array.isArray(callbacks)) return [`callbacks must be a list, [earlyStopping()], not ${shown(callbacks)}.`];
  const other: unknown = callbacks.find((each) => typeof each !== "object" || each === null);
  if (other === undefined) return [];
  const name = typeof other === "function" && other.name !== "" ? other.name : undefined;
  return [
    `callbacks must be a list of callbacks, but it has ${name === undefined ? shown(other) : `the function ${name}: write ${name}()`}.`,
  ];
}

/** `out`, `claim` and `resume` belong together. */
function runProblems({ out, claim, resume: given }: TrainOptions): string[] {
  if (out === undefined) {
    const needless = [
      ...(claim === undefined ? [] : ["claim"]),
      ...(given === undefined || given === false ? [] : ["resume"]),
    ];
    return needless.map((name) => `${name} needs the run directory: give out as well.`);
  }
  return [
    ...valueProblems("out", out, ["the path of a folder", (value) => typeof value === "string" && value !== ""]),
    ...(typeof given === "boolean" ? [] : fieldProblems("resume", given, resume)),
  ];
}

/** One sentence if there is not one number from 0 for each class or image. */
export function weightProblems(
  what: string,
  weights: ArrayLike<number> | undefined,
  count: number,
  each: string,
): string[] {
  if (weights === undefined) return [];
  if (weights.length !== count)
    return [`${what} must have one number for each ${each}, ${count} in all, but has ${weights.length}.`];
  const place = Array.from(weights).findIndex((weight) => !Number.isFinite(weight) || weight < 0);
  return place === -1 ? [] : [`${what} must be numbers from 0, but number ${place} is ${weights[place]}.`];
}

/** Schedules are in epochs, so the number of steps per epoch must be known. */
function scheduleProblems({ data: { train }, schedule, stepsPerEpoch }: FullOptions): string[] {
  if (schedule === undefined || Number.isFinite(train.size) || stepsPerEpoch !== undefined) return [];
  if (schedule.name === "constant" && (schedule.warmup ?? 0) === 0) return [];
  return [
    `The schedule ${schedule.name} counts in epochs, but ${train.name} does not say how many images an epoch has: give fromGenerator its size, or stepsPerEpoch, or use the constant schedule without warm-up.`,
  ];
}

/** A model that names its classes was trained on them: its outputs must not get other meanings. */
function classProblems({ model, data: { train } }: FullOptions): string[] {
  const { classes } = modelMetadata(model);
  if (train.targets !== undefined || classes === undefined || hasSameClasses(classes, train.classes)) return [];
  return [
    `${model.name} tells apart ${classes.join(", ")}, but ${train.name} has the classes ${train.classes.join(", ")}: give the data the same classes in the same order, or the model a new head (replaceHead of @convkit/core).`,
  ];
}
