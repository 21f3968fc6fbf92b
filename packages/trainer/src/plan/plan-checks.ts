import { plateauProblems } from "../callbacks/reduce-on-plateau.ts";
import { stoppingProblems } from "../callbacks/early-stopping.ts";
import {
  aboveZero,
  belowOne,
  type Fields,
  fromOne,
  fromZero,
  isRecord,
  listOfEpochs,
  namedProblems,
  noRecordProblem,
  throwProblems,
  trueOrFalse,
  valueProblems,
  wholeFromOne,
  wholeFromZero,
  zeroToOne,
} from "../checks/fields.ts";
import { type Loss, lossNames } from "../objective/objective.ts";
import { plannedFineTuneProblems } from "../fine-tune/fine-tune-plan.ts";
import { optimizerProblems } from "../optimization/optimizer-checks.ts";
import type { OptimizerConfig } from "../optimization/optimizer-config.ts";
import { type Schedule, scheduleNames } from "../optimization/schedules.ts";
import { monitors } from "../run/monitor.ts";
import { planAugmentation } from "../step/augmentation.ts";
import type { Plan } from "./plan.ts";

const loss: Fields<Loss> = { labelSmoothing: zeroToOne, gamma: fromZero, alpha: fromZero };

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
  | "loss"
  | "schedule"
  | "augment"
  | "accumulate"
  | "ema"
  | "monitor"
  | "earlyStopping"
  | "reduceOnPlateau"
  | "histograms"
  | "fineTune"
> & {
  /** The optimizer; not checked if missing. */
  readonly optimizer?: OptimizerConfig | undefined;
};

/** Refuses invalid parts of a plan; the `TrainerError` has one sentence for each. */
export function checkPlan(plan: PlanParts): void {
  const { earlyStopping, reduceOnPlateau, histograms = 0 } = plan;
  throwProblems([
    ...planProblems(plan),
    ...stoppingProblems(earlyStopping),
    ...plateauProblems(reduceOnPlateau),
    ...plannedFineTuneProblems(plan.fineTune),
    ...valueProblems("histograms", histograms, wholeFromZero),
  ]);
  // Augmentations check their own options.
  if (plan.augment !== undefined) planAugmentation(plan.augment, 2);
}

/** One sentence for each invalid part that `train` takes too. */
export function planProblems(plan: PlanParts): string[] {
  const { schedule, accumulate = 1, ema = 0, monitor, augment } = plan;
  const known = Object.hasOwn(schedules, schedule?.name ?? "") ? schedules[schedule!.name] : warmup;
  return [
    ...namedProblems("loss", plan.loss, lossNames, loss),
    ...optimizerProblems(plan.optimizer),
    ...namedProblems("schedule", schedule, scheduleNames, known),
    ...(schedule?.name === "exponential" && schedule.rate === undefined ? ["schedule.rate must be given."] : []),
    ...(monitor === undefined || monitors.includes(monitor)
      ? []
      : [`Unknown monitor "${String(monitor)}": known are ${monitors.join(", ")}.`]),
    ...valueProblems("accumulate", accumulate, wholeFromOne),
    ...valueProblems("ema", ema, belowOne),
    ...(augment === undefined || isRecord(augment) ? [] : [noRecordProblem("augment", augment)]),
  ];
}
