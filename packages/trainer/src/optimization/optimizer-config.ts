import { adam, adamw, type Clipping, rmsprop, sgd } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";
import { TrainerError } from "../trainer-error.ts";

export const optimizerNames = ["sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop"] as const;

export type OptimizerName = (typeof optimizerNames)[number];

/** An optimizer as plain data; what is not given is as in Keras. */
export interface OptimizerConfig extends Readonly<Clipping> {
  readonly name: OptimizerName;
  readonly learningRate?: number;
  /** Of sgd and rmsprop; `momentum` and `nesterov` are sgd with 0.9. */
  readonly momentum?: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly rho?: number;
  readonly epsilon?: number;
  readonly centered?: boolean;
  /**
   * Shrinks weights, but neither biases nor the parameters of norms. With `adamw` it is decoupled from the gradient, with
   * the others it is added to it, as L2 regularisation is.
   */
  readonly weightDecay?: number;
}

/** An optimizer whose learning rate may change between steps. */
export type LearningOptimizer = tf.Optimizer & { learningRate: number };

const defaultRates: Readonly<Record<OptimizerName, number>> = {
  sgd: 0.01,
  momentum: 0.01,
  nesterov: 0.01,
  adam: 0.001,
  adamw: 0.001,
  rmsprop: 0.001,
};

/** The configuration with its learning rate; throws `TrainerError` where there is no optimizer of that name. */
export function completeOptimizer(
  optimizer: OptimizerName | OptimizerConfig,
): OptimizerConfig & { readonly learningRate: number } {
  const config = typeof optimizer === "string" ? { name: optimizer } : optimizer;
  if (!optimizerNames.includes(config.name))
    throw new TrainerError(`Unknown optimizer "${String(config.name)}": known are ${optimizerNames.join(", ")}.`);
  return { learningRate: defaultRates[config.name], ...config };
}

/** Makes the optimizer that a configuration describes. */
export function createOptimizer(config: OptimizerConfig): LearningOptimizer {
  const { name, weightDecay, ...numbers } = completeOptimizer(config);
  switch (name) {
    case "sgd":
      return sgd(numbers);
    case "momentum":
      return sgd({ momentum: 0.9, ...numbers });
    case "nesterov":
      return sgd({ momentum: 0.9, ...numbers, nesterov: true });
    case "adam":
      return adam(numbers);
    case "adamw":
      return adamw({ ...numbers, decays: isDecayed, ...(weightDecay !== undefined && { weightDecay }) });
    case "rmsprop":
      return rmsprop(numbers);
  }
}

/** Gradients with what L2 regularisation adds to them; `adamw` decays by itself. */
export function withWeightDecay(config: OptimizerConfig, gradients: tf.NamedTensorMap): tf.NamedTensorMap {
  const { name, weightDecay = 0 } = config;
  if (weightDecay === 0 || name === "adamw") return gradients;
  const variables = tf.engine().registeredVariables;
  const entries = Object.entries(gradients).map(([key, gradient]) => {
    const variable = variables[key]!;
    return [key, isDecayed(variable) ? tf.add(gradient, tf.mul(variable, weightDecay)) : gradient] as const;
  });
  return Object.fromEntries(entries);
}

/** Kernels decay; biases and the parameters of norms, which have one axis, do not. */
function isDecayed(variable: tf.Tensor): boolean {
  return variable.rank > 1;
}
