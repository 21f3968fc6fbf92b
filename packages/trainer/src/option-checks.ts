import { monitors } from "./monitor.ts";
import { lossNames } from "./objective.ts";
import { scheduleNames } from "./schedules.ts";
import type { TrainOptions } from "./train.ts";
import { TrainerError } from "./trainer-error.ts";

/** Refuses options that JavaScript or JSON let pass, with all reasons in one sentence each, before the first step. */
export function checkOptions(options: TrainOptions): void {
  const { model, data, loss, schedule, monitor, accumulate = 1, ema = 0 } = options;
  const { classWeights, sampleWeights, outputWeights } = options;
  const problems = [
    ...named("loss", typeof loss === "object" ? loss.name : loss, lossNames),
    ...named("schedule", schedule?.name, scheduleNames),
    ...named("monitor", monitor, monitors),
    ...counted("epochs", options.epochs),
    ...counted("batch", options.batch ?? 1),
    ...counted("accumulate", accumulate),
    ...(ema >= 0 && ema < 1 ? [] : [`ema must be from 0 to below 1, not ${ema}.`]),
    ...weighed("classWeights", classWeights, data.train.classes.length, "class"),
    ...weighed("sampleWeights", sampleWeights, data.train.size, "image"),
    ...weighed("outputWeights", outputWeights, model.outputs.length, "output of the model"),
  ];
  if (problems.length > 0) throw new TrainerError(problems.join(" "));
}

function named(what: string, name: string | undefined, known: readonly string[]): string[] {
  return name === undefined || known.includes(name)
    ? []
    : [`Unknown ${what} "${name}": known are ${known.join(", ")}.`];
}

function counted(what: string, count: number): string[] {
  return Number.isSafeInteger(count) && count >= 1 ? [] : [`${what} must be a whole number from 1, not ${count}.`];
}

function weighed(what: string, weights: ArrayLike<number> | undefined, count: number, each: string): string[] {
  if (weights === undefined) return [];
  if (weights.length !== count)
    return [`${what} must have one number for each ${each}, ${count} in all, but has ${weights.length}.`];
  const place = Array.from(weights).findIndex((weight) => !Number.isFinite(weight) || weight < 0);
  return place === -1 ? [] : [`${what} must be numbers from 0, but number ${place} is ${weights[place]}.`];
}
