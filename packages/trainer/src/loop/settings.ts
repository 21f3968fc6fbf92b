import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { modelMetadata, type Preprocessing, summarize } from "@convkit/core";
import { shown } from "@convkit/errors";
import type { ExecutionOptions } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";
import type { JsonValue } from "@convkit/files";
import { defaultLoss, type Loss } from "../objective/objective.ts";
import { completeOptimizer, type OptimizerConfig } from "../optimization/optimizer-config.ts";
import {
  isOptimizer,
  type OwnOptimizer,
  ownOptimizer,
  plainSettings,
  takesManyRates,
} from "../optimization/own-optimizer.ts";
import type { Schedule } from "../optimization/schedules.ts";
import type { Monitor } from "../run/monitor.ts";
import { type AugmentationPlan, type BatchAugmentation, planAugmentation } from "../step/augmentation.ts";
import { TrainerError } from "../trainer-error.ts";
import type { FullOptions } from "./plain-options.ts";
import type { ResumeOptions } from "./train-options.ts";

/** The options of `train` with all defaults. */
export interface Settings extends Omit<FullOptions, "augment" | "optimizer" | "resume"> {
  readonly loss: Loss;
  readonly optimizer: (OptimizerConfig & { readonly learningRate: number }) | OwnOptimizer;
  readonly schedule: Schedule;
  readonly batch: number;
  readonly seed: number;
  readonly preprocessing: Preprocessing;
  readonly augment: BatchAugmentation | undefined;
  /** The augmentation as plain data, if it was given so. */
  readonly augmentPlan: AugmentationPlan | undefined;
  readonly accumulate: number;
  readonly stepsPerCall: number;
  readonly monitor: Monitor;
  readonly execution: ExecutionOptions;
  /** The options of a run that is resumed. */
  readonly resume: ResumeOptions | undefined;
}

/** Fills in the defaults; the model's metadata gives preprocessing and output weights. */
export function completeOptions(options: FullOptions): Settings {
  const { model, data, loss, batch = 32, seed = 0, accumulate = 1 } = options;
  const known = modelMetadata(model);
  const { augment } = options;
  const augmentPlan = typeof augment === "object" ? augment : undefined;
  const optimizer = isOptimizer(options.optimizer)
    ? ownOptimizer(options.optimizer, { isSaved: options.out !== undefined })
    : completeOptimizer(options.optimizer ?? "sgd");
  return {
    ...options,
    loss: typeof loss === "string" ? { name: loss } : (loss ?? defaultLoss(model)),
    optimizer,
    schedule: options.schedule ?? { name: "constant" },
    batch,
    seed,
    preprocessing: options.preprocessing ?? known.preprocessing ?? {},
    outputWeights: options.outputWeights ?? known.outputWeights,
    augment: typeof augment === "object" ? planAugmentation(augment, data.train.classes.length) : augment,
    augmentPlan,
    accumulate,
    // Accumulated gradients are applied between two calls, and some optimizers take one rate a call.
    stepsPerCall:
      accumulate === 1 && takesManyRates(optimizer) ? (options.stepsPerCall ?? usualStepsPerCall(options)) : 1,
    monitor: options.monitor ?? (data.validation === undefined ? "loss" : "valLoss"),
    execution: { seed, ...options.execution },
    resume: options.resume === true ? {} : options.resume === false ? undefined : options.resume,
  };
}

/**
 * Ten if a step's multiply-adds take about a millisecond, so that the calls would take as long; else one. Also one for
 * a deterministic run, which may be interrupted and resumed after any step.
 */
function usualStepsPerCall({ model, batch = 32, execution }: FullOptions): number {
  return execution?.deterministic !== true && (summarize(model).macs ?? Infinity) * batch < 100e6 ? 10 : 1;
}

/** The settings that must stay the same when a run is resumed, for its checkpoints. The number of epochs may change. */
export function lastingSettings(settings: Settings): Record<string, JsonValue> {
  const { data, batch, seed, loss, optimizer, schedule, preprocessing, accumulate, ema, monitor } = settings;
  const { validationRuntime } = settings;
  const { augment, augmentPlan, classWeights, sampleWeights, outputWeights, execution } = settings;
  const { precision = "float32", deterministic = false, eager = false, threads } = execution;
  const lasting = {
    images: data.train.size,
    classes: data.train.classes,
    decoding: data.train.decoding,
    batch,
    seed,
    loss,
    optimizer: plainSettings(optimizer),
    schedule,
    preprocessing,
    accumulate,
    ema,
    monitor,
    validationRuntime,
    classWeights,
    outputWeights,
    precision,
    deterministic,
    eager,
    backend: tf.getBackend(),
    threads,
    // Functions cannot be compared, but checkpoints store whether one was given.
    augment: augmentPlan ?? augment !== undefined,
    sampleWeights: sampleWeights && createHash("sha256").update(bytesOf(sampleWeights)).digest("hex"),
  };
  return JSON.parse(JSON.stringify(lasting)) as Record<string, JsonValue>;
}

/** Settings of the machine: they change the last bits of the numbers, and `anyMachine` accepts others. */
const machine: ReadonlySet<string> = new Set(["backend", "threads"]);

/**
 * The settings of a resumed run, with its original number of threads unless another one is given. Throws a
 * `TrainerError` that names every setting that differs from the original.
 */
export function resumedSettings(settings: Settings, began: Readonly<Record<string, JsonValue>>): Settings {
  const { threads } = began;
  const resumed =
    settings.execution.threads === undefined && typeof threads === "number"
      ? { ...settings, execution: { ...settings.execution, threads } }
      : settings;
  const now = lastingSettings(resumed);
  const changed = [...new Set([...Object.keys(began), ...Object.keys(now)])].filter(
    (name) =>
      !isDeepStrictEqual(began[name], now[name]) && !(settings.resume?.anyMachine === true && machine.has(name)),
  );
  if (changed.length === 0) return resumed;
  const differences = changed.map((name) => `${name} ${textOf(began[name])}, got ${textOf(now[name])}`);
  const isMachine = changed.every((name) => machine.has(name));
  throw new TrainerError(
    `The run in ${settings.out} cannot go on with other settings: expected ${differences.join("; expected ")}. Resume it with the settings it began with, or start a new run${isMachine ? "; resume: { anyMachine: true } accepts other last bits" : ""}.`,
  );
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function textOf(value: JsonValue | undefined): string {
  return value === undefined ? "not given" : shown(value);
}
