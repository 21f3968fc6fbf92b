import { sha256, warn } from "@convkit/files/system";
import { dequal } from "dequal";
import { modelMetadata, type Preprocessing, summarize } from "@convkit/core";
import { shown } from "@convkit/errors";
import type { ExecutionOptions } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";
import type { JsonValue } from "@convkit/files";
import type { MetricOption } from "../metrics/metric-set.ts";
import { usualMetrics } from "../metrics/metric-set.ts";
import { isOwn } from "../objective/loss.ts";
import { outputTasks, type OutputTask } from "../objective/output-tasks.ts";
import { checkDistillation } from "../objective/distillation.ts";
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
import {
  type AugmentationPlan,
  planAugmentation,
  planMaskAugmentation,
  type StepAugmentation,
} from "../step/augmentation.ts";
import { TrainerError } from "../trainer-error.ts";
import type { FullOptions } from "./plain-options.ts";
import type { ResumeOptions } from "./train-options.ts";

/** The options of `train` with all defaults. */
export interface Settings extends Omit<FullOptions, "augment" | "optimizer" | "resume"> {
  /** What each output learns. */
  readonly tasks: readonly OutputTask[];
  readonly metrics: MetricOption;
  readonly onNote: (note: string) => void;
  readonly optimizer: (OptimizerConfig & { readonly learningRate: number }) | OwnOptimizer;
  readonly schedule: Schedule;
  readonly batch: number;
  readonly seed: number;
  readonly preprocessing: Preprocessing;
  readonly augment: StepAugmentation | undefined;
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
  const { model, data, batch = 32, seed = 0, accumulate = 1 } = options;
  const known = modelMetadata(model);
  const { augment } = options;
  const lossWeights = options.lossWeights ?? options.outputWeights ?? known.outputWeights;
  const tasks = outputTasks(model, data.train, { ...options, lossWeights });
  const augmentPlan = typeof augment === "object" ? augment : undefined;
  const optimizer = isOptimizer(options.optimizer)
    ? ownOptimizer(options.optimizer, { isSaved: options.out !== undefined })
    : completeOptimizer(options.optimizer ?? "sgd");
  const preprocessing = options.preprocessing ?? known.preprocessing ?? {};
  if (options.distill !== undefined)
    checkDistillation(options.distill, model, {
      preprocessing,
      known: data.train.targets === undefined ? data.train.classes : known.classes,
    });
  return {
    ...options,
    tasks,
    metrics: options.metrics ?? usualMetricsOf(tasks),
    onNote: options.onNote ?? warn,
    optimizer,
    schedule: options.schedule ?? { name: "constant" },
    batch,
    seed,
    preprocessing,
    augment: stepAugmentation(augment, tasks, data.train.classes.length),
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

/** The augmentation of the batches; that of a plan moves a mask with its image. */
function stepAugmentation(
  augment: FullOptions["augment"],
  tasks: readonly OutputTask[],
  classes: number,
): StepAugmentation | undefined {
  if (augment === undefined) return undefined;
  const mask = tasks.find(({ kind }) => kind === "mask");
  if (typeof augment === "function") return { change: augment };
  if (mask === undefined) return { change: planAugmentation(augment, classes) };
  return { change: planMaskAugmentation(augment, mask.ignore), target: mask.target };
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
  const { data, batch, seed, tasks, optimizer, schedule, preprocessing, accumulate, ema, swa, distill, monitor } =
    settings;
  const {
    validationRuntime,
    validationSteps,
    stepsPerEpoch,
    sampling,
    repeats,
    augment,
    augmentPlan,
    classWeights,
    sampleWeights,
    metrics,
    execution,
  } = settings;
  const losses = tasks.map(({ loss }) => (isOwn(loss) ? { ...loss, fn: loss.fn.name } : loss));
  const isSimple = tasks.every(({ target }, _, [first]) => target === first!.target);
  const weights = tasks.map(({ weight }) => weight);
  const { precision = "float32", deterministic = false, eager = false, threads } = execution;
  const lasting = {
    images: data.train.size,
    classes: data.train.classes,
    decoding: data.train.decoding,
    batch,
    seed,
    loss: isSimple ? losses[0] : losses,
    optimizer: plainSettings(optimizer),
    schedule,
    preprocessing,
    accumulate,
    syncBatchNorm: settings.syncBatchNorm === true ? true : undefined,
    ema,
    swa,
    distill: distill && { ...distill, teacher: distill.teacher.name },
    monitor,
    validationRuntime,
    validationSteps,
    stepsPerEpoch,
    sampling,
    repeats: repeats === 1 ? undefined : repeats,
    classWeights,
    outputWeights: weights.some((weight) => weight !== 1) ? weights : undefined,
    targets: data.train.targets,
    metrics: metricsText(metrics),
    precision,
    deterministic,
    eager,
    backend: tf.getBackend(),
    threads,
    // Functions cannot be compared, but checkpoints store whether one was given.
    augment: augmentPlan ?? augment !== undefined,
    sampleWeights: sampleWeights && digestOf(sampleWeights),
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
    (name) => !dequal(began[name], now[name]) && !(settings.resume?.anyMachine === true && machine.has(name)),
  );
  if (changed.length === 0) return resumed;
  const differences = changed.map((name) => `${name} ${textOf(began[name])}, got ${textOf(now[name])}`);
  const isMachine = changed.every((name) => machine.has(name));
  throw new TrainerError(
    `The run in ${settings.out} cannot go on with other settings: expected ${differences.join("; expected ")}. Resume it with the settings it began with, or start a new run${isMachine ? "; resume: { anyMachine: true } accepts other last bits" : ""}.`,
  );
}

function digestOf(weights: NonNullable<Settings["sampleWeights"]>): string | Record<string, string> {
  if (!(weights instanceof Float32Array))
    return Object.fromEntries(Object.entries(weights).map(([name, own]) => [name, digestOf(own) as string]));
  return sha256(bytesOf(weights));
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function textOf(value: JsonValue | undefined): string {
  return value === undefined ? "not given" : shown(value);
}

/** The metrics that are measured if none are asked for. */
function usualMetricsOf(tasks: readonly OutputTask[]): MetricOption {
  if (tasks.every(({ target }) => target === tasks[0]!.target)) return usualMetrics(tasks[0]!);
  return Object.fromEntries(tasks.map((task) => [task.output, usualMetrics(task)]));
}

/** Metrics as JSON; a function or an object by its name. Undefined if there are none. */
function metricsText(metrics: MetricOption): JsonValue | undefined {
  const text = (each: unknown): unknown =>
    typeof each === "function" ? each.name : typeof each === "object" && each !== null ? { ...each } : each;
  const listed = (list: readonly unknown[]): unknown => list.map(text);
  if (Array.isArray(metrics)) return metrics.length === 0 ? undefined : (listed(metrics) as JsonValue);
  return Object.fromEntries(Object.entries(metrics).map(([name, list]) => [name, listed(list)])) as JsonValue;
}
