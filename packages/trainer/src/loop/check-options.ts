import { countProblems, planProblems } from "../plan/plan-checks.ts";
import type { TrainOptions } from "./train.ts";
import { TrainerError } from "../trainer-error.ts";

/** Refuses options that JavaScript or JSON let pass, with all reasons in one sentence each, before the first step. */
export function checkOptions(options: TrainOptions): void {
  const { model, data, loss, optimizer, schedule, monitor, accumulate, ema } = options;
  const { classWeights, sampleWeights, outputWeights } = options;
  const problems = [
    ...countProblems("epochs", options.epochs),
    ...countProblems("batch", options.batch ?? 1),
    ...planProblems({
      ...(loss !== undefined && { loss: typeof loss === "string" ? { name: loss } : loss }),
      ...(optimizer !== undefined && { optimizer: typeof optimizer === "string" ? { name: optimizer } : optimizer }),
      ...(schedule && { schedule }),
      ...(monitor && { monitor }),
      ...(accumulate !== undefined && { accumulate }),
      ...(ema !== undefined && { ema }),
    }),
    ...weighed("classWeights", classWeights, data.train.classes.length, "class"),
    ...weighed("sampleWeights", sampleWeights, data.train.size, "image"),
    ...weighed("outputWeights", outputWeights, model.outputs.length, "output of the model"),
  ];
  if (problems.length > 0) throw new TrainerError(problems.join(" "));
}

function weighed(what: string, weights: ArrayLike<number> | undefined, count: number, each: string): string[] {
  if (weights === undefined) return [];
  if (weights.length !== count)
    return [`${what} must have one number for each ${each}, ${count} in all, but has ${weights.length}.`];
  const place = Array.from(weights).findIndex((weight) => !Number.isFinite(weight) || weight < 0);
  return place === -1 ? [] : [`${what} must be numbers from 0, but number ${place} is ${weights[place]}.`];
}
