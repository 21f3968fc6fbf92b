import {
  aboveZero,
  belowOne,
  type ValueRule,
  fromOne,
  fromZero,
  oneOf,
  trueOrFalse,
  wholeFromOne,
  wholeFromZero,
  zeroToOne,
} from "@convkit/errors";
import { plateauProblems } from "../callbacks/reduce-on-plateau.ts";
import { stoppingProblems } from "../callbacks/early-stopping.ts";
import {
  fieldProblems,
  type Fields,
  isRecord,
  listOfEpochs,
  namedProblems,
  noRecordProblem,
  throwProblems,
  valueProblems,
} from "../checks/fields.ts";
import { plannedFineTuneProblems } from "../fine-tune/fine-tune-plan.ts";
import { lossProblems } from "../objective/check-loss.ts";
import type { LossOption } from "../objective/loss.ts";
import { type MetricOption, metricColumns } from "../metrics/metric-set.ts";
import { metricNames, type MetricPlan } from "../metrics/named-metrics.ts";
import { distillationFields } from "../objective/distillation.ts";
import { optimizerProblems } from "../optimization/optimizer-checks.ts";
import type { OptimizerConfig } from "../optimization/optimizer-config.ts";
import { type Schedule, scheduleNames } from "../optimization/schedules.ts";
import { knownMonitor, monitors } from "../run/monitor.ts";
import { planAugmentation } from "../step/augmentation.ts";
import type { WeightAveraging } from "../loop/train-options.ts";
import type { Plan } from "./plan.ts";

const metric: Fields<MetricPlan> = {
  as: ["a name", (value) => typeof value === "string" && value !== ""],
  average: oneOf(["macro", "micro", "none"]),
  threshold: zeroToOne,
  k: wholeFromOne,
  curve: oneOf(["roc", "pr"]),
};

const averaging: Fields<WeightAveraging> = { start: wholeFromOne };

const modelName: ValueRule = ["a model's file or run directory", (value) => typeof value === "string" && value !== ""];

const warmup = { warmup: fromZero, warmupFrom: fromZero };
type FieldsOf<Name extends Schedule["name"]> = Fields<Extract<Schedule, { name: Name }>>;
const schedules: { readonly [Name in Schedule["name"]]: FieldsOf<Name> } = {
  constant: warmup,
  step: { ...warmup, every: aboveZero, at: listOfEpochs, factor: fromZero },
  exponential: { ...warmup, rate: aboveZero, staircase: trueOrFalse },
  // With `multiply` below 1, cycles would shrink and never reach the end of a run.
  cosine: { ...warmup, min: fromZero, restarts: aboveZero, multiply: fromOne, decay: fromZero },
  polynomial: { ...warmup, power: fromZero, end: fromZero },
  "one-cycle": { ...warmup, rise: belowOne, divide: aboveZero, finalDivide: aboveZero },
};

/** The parts of a plan that `checkPlan` checks. */
export type PlanParts = Pick<
  Plan,
  | "metrics"
  | "schedule"
  | "augment"
  | "accumulate"
  | "ema"
  | "swa"
  | "monitor"
  | "earlyStopping"
  | "reduceOnPlateau"
  | "histograms"
  | "fineTune"
  | "distill"
  | "stepsPerEpoch"
  | "validationSteps"
  | "syncBatchNorm"
  | "stratify"
  | "sampling"
  | "repeats"
> & {
  /** The loss; not checked if missing, nor if it is a function. */
  readonly loss?: LossOption | undefined;
  /** The optimizer; not checked if missing. */
  readonly optimizer?: OptimizerConfig | undefined;
};

/** Refuses invalid parts of a plan; the `TrainerError` has one sentence for each. */
export function checkPlan(plan: PlanParts): void {
  const { earlyStopping, reduceOnPlateau, histograms = 0 } = plan;
  throwProblems([
    ...planProblems(plan),
    ...stoppingProblems(earlyStopping, metricColumns(plan.metrics)),
    ...plateauProblems(reduceOnPlateau, metricColumns(plan.metrics)),
    ...plannedFineTuneProblems(plan.fineTune),
    ...valueProblems("histograms", histograms, wholeFromZero),
    ...valueProblems("stepsPerEpoch", plan.stepsPerEpoch ?? 1, wholeFromOne),
    ...valueProblems("validationSteps", plan.validationSteps ?? 1, wholeFromOne),
    ...valueProblems("syncBatchNorm", plan.syncBatchNorm ?? false, trueOrFalse),
    ...fieldProblems("distill", plan.distill, { teacher: modelName, ...distillationFields }),
    ...(isRecord(plan.distill) && plan.distill.teacher === undefined
      ? ["distill.teacher, a trained model, must be given."]
      : []),
    ...valueProblems("stratify", plan.stratify ?? false, trueOrFalse),
    ...valueProblems("sampling", plan.sampling ?? "balanced", oneOf(["balanced"])),
    ...valueProblems("repeats", plan.repeats ?? 1, wholeFromOne),
  ]);
  // Augmentations check their own options.
  if (plan.augment !== undefined) planAugmentation(plan.augment, 2);
}

/** One sentence for each invalid part that `train` takes too. */
export function planProblems(plan: Omit<PlanParts, "metrics"> & { metrics?: MetricOption | undefined }): string[] {
  const { schedule, accumulate = 1, ema = 0, monitor, augment } = plan;
  const known = Object.hasOwn(schedules, schedule?.name ?? "") ? schedules[schedule!.name] : warmup;
  return [
    ...lossProblems(plan.loss),
    ...metricProblems(plan.metrics),
    ...optimizerProblems(plan.optimizer),
    ...namedProblems("schedule", schedule, scheduleNames, known),
    ...(schedule?.name === "exponential" && schedule.rate === undefined ? ["schedule.rate must be given."] : []),
    ...(monitor === undefined || monitors.includes(monitor) || knownMonitor(metricColumns(plan.metrics))[1](monitor)
      ? []
      : [
          `Unknown monitor "${String(monitor)}": known are ${[...monitors, ...metricColumns(plan.metrics)].join(", ")}.`,
        ]),
    ...valueProblems("accumulate", accumulate, wholeFromOne),
    ...valueProblems("ema", ema, belowOne),
    ...fieldProblems("swa", plan.swa, averaging),
    ...(isRecord(plan.swa) && plan.swa.start === undefined
      ? ["swa.start, the first epoch that counts, must be given."]
      : []),
    ...(plan.swa === undefined || plan.ema === undefined
      ? []
      : ["swa and ema both average the weights: give one of them."]),
    ...(augment === undefined || isRecord(augment) ? [] : [noRecordProblem("augment", augment)]),
  ];
}

function metricProblems(given: MetricOption | undefined, what = "metrics"): string[] {
  if (given === undefined) return [];
  if (!Array.isArray(given)) {
    if (!isRecord(given)) return [`${what} must be a list of metrics, or one for each output, not ${String(given)}.`];
    return Object.entries(given).flatMap(([output, list]) =>
      Array.isArray(list)
        ? metricProblems(list, `${what}.${output}`)
        : [`${what}.${output} must be a list of metrics, not ${String(list)}.`],
    );
  }
  return given.flatMap((each: unknown, place) => {
    if (typeof each === "function") return [];
    if (typeof each === "string") return namedProblems("metric", { name: each }, metricNames, metric);
    if (isRecord(each) && ("update" in each || "fn" in each)) {
      const functions = "update" in each ? ["update", "result", "reset"] : ["fn"];
      return [
        ...functions.flatMap((name) =>
          typeof each[name] === "function" ? [] : [`${what}[${place}].${name} must be a function.`],
        ),
        ...valueProblems(`${what}[${place}].better`, each["better"] ?? "higher", oneOf(["higher", "lower"])),
      ];
    }
    return namedProblems("metric", each, metricNames, metric);
  });
}
