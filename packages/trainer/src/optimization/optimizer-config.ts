import { adam, adamw, type Clipping, rmsprop, sgd } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";
import { TrainerError } from "../trainer-error.ts";

export const optimizerNames = ["sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop"] as const;

export type OptimizerName = (typeof optimizerNames)[number];

/** An optimizer as plain data, with Keras' defaults. */
export interface OptimizerConfig extends Readonly<Clipping> {
  readonly name: OptimizerName;
  /** 0.01 by default for `sgd`, `momentum` and `nesterov`, 0.001 for the others. A schedule multiplies it. */
  readonly learningRate?: number | undefined;
  /** Momentum of sgd and rmsprop, 0 by default. The optimizers `momentum` and `nesterov` are sgd with 0.9. */
  readonly momentum?: number | undefined;
  /** Decay of the mean of gradients in `adam` and `adamw`; 0.9 by default. */
  readonly beta1?: number | undefined;
  /** Decay of the mean of squared gradients in `adam` and `adamw`; 0.999 by default. */
  readonly beta2?: number | undefined;
  /** Decay of the mean of squared gradients in `rmsprop`; 0.9 by default. */
  readonly rho?: number | undefined;
  /** Keeps the denominator of `adam`, `adamw` and `rmsprop` above 0; 1e-7 by default. */
  readonly epsilon?: number | undefined;
  /** `rmsprop` divides by the deviation of the gradient instead of its root mean square; false by default. */
  readonly centered?: boolean | undefined;
  /**
   * Shrinks weights, except biases and the parameters of norms. `adamw` decouples the decay from the gradient; the
   * other optimizers add it to the gradient, like L2 regularization. 0.004 by default for `adamw`, 0 for the others.
   */
  readonly weightDecay?: number | undefined;
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

/** The configuration with its learning rate; throws `TrainerError` for an unknown optimizer. */
export function completeOptimizer(
  optimizer: OptimizerName | OptimizerConfig,
): OptimizerConfig & { readonly learningRate: number } {
  const config = typeof optimizer === "string" ? { name: optimizer } : optimizer;
  if (!optimizerNames.includes(config.name))
    throw new TrainerError(`Unknown optimizer "${String(config.name)}": known are ${optimizerNames.join(", ")}.`);
  return { ...config, learningRate: config.learningRate ?? defaultRates[config.name] };
}

/** Makes the optimizer that a configuration describes. */
export function createOptimizer(config: OptimizerConfig): LearningOptimizer {
  const { name, momentum, beta1, beta2, rho, epsilon, centered, weightDecay, ...rest } = completeOptimizer(config);
  const { learningRate, clipValue, clipNorm, globalClipNorm } = rest;
  const shared = { learningRate, clipValue, clipNorm, globalClipNorm };
  switch (name) {
    case "sgd":
      return sgd({ ...shared, momentum });
    case "momentum":
      return sgd({ ...shared, momentum: momentum ?? 0.9 });
    case "nesterov":
      return sgd({ ...shared, momentum: momentum ?? 0.9, nesterov: true });
    case "adam":
      return adam({ ...shared, beta1, beta2, epsilon });
    case "adamw":
      return adamw({ ...shared, beta1, beta2, epsilon, weightDecay, decays: isDecayed });
    case "rmsprop":
      return rmsprop({ ...shared, rho, momentum, epsilon, centered });
  }
}

/** The gradients plus the term of L2 regularization; `adamw` decays the weights itself. */
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

/** True for kernels. Biases and the parameters of norms, which have one axis, do not decay. */
function isDecayed(variable: tf.Tensor): boolean {
  return variable.rank > 1;
}
