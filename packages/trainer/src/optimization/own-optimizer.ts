import { DefinedOptimizer } from "@convkit/core/internal";
import { shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { TrainerError } from "../trainer-error.ts";
import type { LearningOptimizer, OptimizerConfig } from "./optimizer-config.ts";

/** An optimizer object of the user's, as a run describes it. */
export interface OwnOptimizer {
  /** Its class. */
  readonly name: string;
  /** Its learning rate at the start of the run. */
  readonly learningRate: number;
  readonly own: LearningOptimizer;
}

/** True for an optimizer object; false for a name, plain data or nothing. */
export function isOptimizer(given: unknown): given is tf.Optimizer {
  return typeof given === "object" && given !== null && "applyGradients" in given;
}

export function isOwn(optimizer: OptimizerConfig | OwnOptimizer): optimizer is OwnOptimizer {
  return "own" in optimizer;
}

/**
 * Describes an optimizer object. Throws `TrainerError` if it has no learning rate that can be set, or, for a run with checkpoints,
 * if it cannot give its state.
 */
export function ownOptimizer(optimizer: tf.Optimizer, { isSaved }: { readonly isSaved: boolean }): OwnOptimizer {
  const name = optimizer.getClassName();
  const { learningRate } = optimizer as { learningRate?: unknown };
  if (typeof learningRate !== "number" || !(learningRate >= 0))
    throw new TrainerError(
      `train: expected the optimizer ${name} to have its learning rate as the number learningRate, got ${shown(learningRate)}.`,
    );
  const { getWeights, setWeights } = tf.Optimizer.prototype;
  if (isSaved && (optimizer.getWeights === getWeights || optimizer.setWeights === setWeights))
    throw new TrainerError(
      `train: the optimizer ${name} cannot be saved with the checkpoints of out, since it lacks getWeights or setWeights: write them, or make the optimizer with defineOptimizer of @convkit/core.`,
    );
  return { name, learningRate, own: optimizer as LearningOptimizer };
}

/** True if several steps of one call may each have their own learning rate. */
export function takesManyRates(optimizer: OptimizerConfig | OwnOptimizer): boolean {
  // tfjs takes every object with an optimizer's methods for an instance of any optimizer class.
  return !isOwn(optimizer) || optimizer.own.constructor === DefinedOptimizer;
}

/** The settings of an optimizer for the check of a resumed run. */
export function plainSettings(optimizer: OptimizerConfig | OwnOptimizer): object {
  if (!isOwn(optimizer)) {
    const { groups, ...rest } = optimizer;
    // Functions cannot be compared; a run stores that there was one.
    const plain = groups?.map((group) => ({
      ...group,
      ...(typeof group.match === "function" && { match: "a function" }),
    }));
    return { ...rest, ...(plain !== undefined && { groups: plain }) };
  }
  const { name, learningRate, own } = optimizer;
  return { ...own.getConfig(), name, learningRate };
}

/** Sets the learning rate; tfjs' SGD keeps a tensor of it. */
export function setRate(optimizer: LearningOptimizer, rate: number): void {
  if (!("setLearningRate" in optimizer)) optimizer.learningRate = rate;
  else if (optimizer.learningRate !== rate) (optimizer as unknown as tf.SGDOptimizer).setLearningRate(rate);
}
