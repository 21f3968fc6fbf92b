import { planAugmentation } from "../step/augmentation.ts";
import type { EarlyStoppingOptions } from "../callbacks/early-stopping.ts";
import { monitors } from "../run/monitor.ts";
import { type Loss, lossNames } from "../objective/objective.ts";
import { type OptimizerConfig, optimizerNames } from "../optimization/optimizer-config.ts";
import type { Plan } from "./recipes.ts";
import type { PlateauOptions } from "../callbacks/reduce-on-plateau.ts";
import { type Schedule, scheduleNames } from "../optimization/schedules.ts";
import { TrainerError } from "../trainer-error.ts";

/** What a field may be, in words and as a test. */
type Field = readonly [expected: string, fits: (value: unknown) => boolean];
type Fields<Options> = { readonly [Key in Exclude<keyof Options, "name">]-?: Field };

const number = (expected: string, fits: (value: number) => boolean): Field => [
  expected,
  (value) => typeof value === "number" && Number.isFinite(value) && fits(value),
];
const fromZero = number("a number from 0", (value) => value >= 0);
const aboveZero = number("a number above 0", (value) => value > 0);
const fromOne = number("a number from 1", (value) => value >= 1);
const share = number("a number from 0 to 1", (value) => value >= 0 && value <= 1);
const part = number("a number from 0 to below 1", (value) => value >= 0 && value < 1);
const whole = number("a whole number from 0", (value) => Number.isInteger(value) && value >= 0);
const flag: Field = ["true or false", (value) => typeof value === "boolean"];
const epochs: Field = ["a list of epochs", (value) => Array.isArray(value) && value.every(fromZero[1])];
const monitor: Field = [`one of ${monitors.join(", ")}`, (value) => (monitors as readonly unknown[]).includes(value)];

const loss: Fields<Loss> = { labelSmoothing: share, gamma: fromZero, alpha: fromZero };

const optimizer: Fields<OptimizerConfig> = {
  learningRate: fromZero,
  momentum: share,
  beta1: part,
  beta2: part,
  rho: part,
  epsilon: fromZero,
  centered: flag,
  weightDecay: fromZero,
  clipValue: aboveZero,
  clipNorm: aboveZero,
  globalClipNorm: aboveZero,
};

const warmup = { warmup: fromZero, warmupFrom: fromZero };
type Of<Name extends Schedule["name"]> = Fields<Extract<Schedule, { name: Name }>>;
const schedules: { readonly [Name in Schedule["name"]]: Of<Name> } = {
  constant: warmup,
  step: { ...warmup, every: aboveZero, at: epochs, factor: fromZero },
  exponential: { ...warmup, rate: aboveZero, staircase: flag },
  // Cycles that shrink would never reach the end of a run.
  cosine: { ...warmup, min: fromZero, restarts: aboveZero, multiply: fromOne, decay: fromZero },
  polynomial: { ...warmup, power: fromZero, end: fromZero },
  "one-cycle": { ...warmup, rise: part, divide: aboveZero, finalDivide: aboveZero },
};

const stopping: Fields<EarlyStoppingOptions> = { monitor, patience: whole, minDelta: fromZero, startFrom: whole };

const plateau: Fields<PlateauOptions> = {
  monitor,
  factor: number("a number above 0 and below 1", (value) => value > 0 && value < 1),
  patience: whole,
  minDelta: fromZero,
  cooldown: whole,
  minLearningRate: fromZero,
};

/** The parts of a plan that are plain data of their own. */
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
> & { readonly optimizer?: OptimizerConfig };

/** Refuses a plan whose parts are not what they may be, with all reasons in one sentence each; throws `TrainerError`. */
export function checkPlan(plan: PlanParts): void {
  refuse([...planProblems(plan), ...callbackProblems(plan)]);
  // What it is made of refuses what it cannot do.
  if (plan.augment !== undefined) planAugmentation(plan.augment, 2);
}

/** What is wrong with the parts of a plan that a training is given as they are. */
export function planProblems(plan: PlanParts): string[] {
  const { schedule, accumulate = 1, ema = 0 } = plan;
  const known = Object.hasOwn(schedules, schedule?.name ?? "") ? schedules[schedule!.name] : warmup;
  return [
    ...named("loss", plan.loss, lossNames, loss),
    ...named("optimizer", plan.optimizer, optimizerNames, optimizer),
    ...named("schedule", schedule, scheduleNames, known),
    ...(schedule?.name === "exponential" && schedule.rate === undefined ? ["schedule.rate must be given."] : []),
    ...(plan.monitor === undefined || monitor[1](plan.monitor)
      ? []
      : [`Unknown monitor "${String(plan.monitor)}": known are ${monitors.join(", ")}.`]),
    ...countProblems("accumulate", accumulate),
    ...(part[1](ema) ? [] : [`ema must be ${part[0]}, not ${told(ema)}.`]),
    ...(plan.augment === undefined || isRecord(plan.augment) ? [] : [noRecord("augment", plan.augment)]),
  ];
}

function callbackProblems({ earlyStopping, reduceOnPlateau, histograms = 0 }: PlanParts): string[] {
  return [
    ...stoppingProblems(earlyStopping),
    ...plateauProblems(reduceOnPlateau),
    ...(whole[1](histograms) ? [] : [`histograms must be ${whole[0]}, not ${told(histograms)}.`]),
  ];
}

function stoppingProblems(options: EarlyStoppingOptions | undefined): string[] {
  return fieldProblems("earlyStopping", options, stopping);
}

function plateauProblems(options: PlateauOptions | undefined): string[] {
  return fieldProblems("reduceOnPlateau", options, plateau);
}

/** Throws `TrainerError` for options that early stopping does not have. */
export function checkEarlyStopping(options: EarlyStoppingOptions): void {
  refuse(stoppingProblems(options));
}

/** Throws `TrainerError` for options that reducing on a plateau does not have. */
export function checkPlateau(options: PlateauOptions): void {
  refuse(plateauProblems(options));
}

/** A sentence where `count` is no whole number from 1. */
export function countProblems(what: string, count: unknown): string[] {
  return Number.isSafeInteger(count) && (count as number) >= 1
    ? []
    : [`${what} must be a whole number from 1, not ${told(count)}.`];
}

function named(what: string, given: unknown, names: readonly string[], fields: Readonly<Record<string, Field>>) {
  if (given === undefined) return [];
  if (!isRecord(given)) return [noRecord(what, given)];
  const { name } = given;
  if (!(names as readonly unknown[]).includes(name))
    return [`Unknown ${what} ${told(name)}: known are ${names.join(", ")}.`];
  return fieldProblems(what, given, { ...fields, name: ["a name", () => true] });
}

function fieldProblems(what: string, given: unknown, fields: Readonly<Record<string, Field>>): string[] {
  if (given === undefined) return [];
  if (!isRecord(given)) return [noRecord(what, given)];
  return Object.entries(given).flatMap(([key, value]) => {
    if (value === undefined) return [];
    if (!Object.hasOwn(fields, key)) return [`${what} has no ${key}: it may have ${Object.keys(fields).join(", ")}.`];
    const [expected, fits] = fields[key]!;
    return fits(value) ? [] : [`${what}.${key} must be ${expected}, not ${told(value)}.`];
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function noRecord(what: string, value: unknown): string {
  return `${what} must be an object of options, not ${told(value)}.`;
}

/** A value as JSON has it; of NaN and the infinities, their names. */
function told(value: unknown): string {
  return typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new TrainerError(problems.join(" "));
}
