import * as tf from "@tensorflow/tfjs-core";
import { TrainerError } from "./trainer-error.ts";

export const optimizerNames = ["sgd", "adam", "rmsprop"] as const;

export type OptimizerName = (typeof optimizerNames)[number];

/** An optimizer as plain data. */
export interface OptimizerConfig {
  readonly name: OptimizerName;
  readonly learningRate?: number;
  readonly momentum?: number;
}

/** The configuration with the learning rate that the optimizer has by default. */
export function completeOptimizer(
  optimizer: OptimizerName | OptimizerConfig,
): OptimizerConfig & { readonly learningRate: number } {
  const config = typeof optimizer === "string" ? { name: optimizer } : optimizer;
  if (!optimizerNames.includes(config.name))
    throw new TrainerError(`Unknown optimizer "${String(config.name)}": known are ${optimizerNames.join(", ")}.`);
  return { learningRate: config.name === "sgd" ? 0.01 : 0.001, ...config };
}

export type LearningOptimizer = tf.Optimizer & { learningRate: number };

/** Makes the optimizer. */
export function createOptimizer(config: OptimizerConfig): LearningOptimizer {
  const { name, learningRate } = completeOptimizer(config);
  const made = { sgd: tf.train.sgd, adam: tf.train.adam, rmsprop: tf.train.rmsprop }[name](learningRate);
  return made as unknown as LearningOptimizer;
}
