import { adadelta, adagrad, adamax, ftrl, lamb, lion, lookahead, muon, nadam } from "@convkit/core";
import type { LookaheadOptions, VariableOptions } from "@convkit/core";
import { adam, adamw, rmsprop, sgd } from "@convkit/graph";
import type * as tf from "@tensorflow/tfjs-core";
import { TrainerError } from "../trainer-error.ts";
import type { Limits } from "./clipping.ts";
import type { LayerDecay, ParameterGroup } from "./parameter-groups.ts";

export const optimizerNames = [
  "sgd",
  "momentum",
  "nesterov",
  "adam",
  "adamw",
  "adamax",
  "nadam",
  "rmsprop",
  "adagrad",
  "adadelta",
  "lion",
  "ftrl",
  "lamb",
  "muon",
] as const;

export type OptimizerName = (typeof optimizerNames)[number];

/** An optimizer as plain data, with Keras' defaults. */
export interface OptimizerConfig extends Readonly<Limits> {
  readonly name: OptimizerName;
  /** 0.01 by default for `sgd`, `momentum` and `nesterov`, 0.001 for the others. A schedule multiplies it. */
  readonly learningRate?: number | undefined;
  /**
   * Momentum of sgd and rmsprop, 0 by default, and of muon, 0.95 by default. The optimizers `momentum` and `nesterov` are sgd with
   * 0.9.
   */
  readonly momentum?: number | undefined;
  /** Decay of the mean of gradients in `adam` and its kin, `lion`, `lamb`; 0.9 by default. */
  readonly beta1?: number | undefined;
  /** Decay of the mean of squared gradients in `adam` and its kin and `lamb`, 0.999 by default; of `lion`'s momentum, 0.99. */
  readonly beta2?: number | undefined;
  /** Decay of the mean of squared gradients: 0.9 by default in `rmsprop`, 0.95 in `adadelta`. */
  readonly rho?: number | undefined;
  /** Keeps denominators above 0; 1e-7 by default. `sgd`, `lion` and `ftrl` have none. */
  readonly epsilon?: number | undefined;
  /** `rmsprop` divides by the deviation of the gradient instead of its root mean square; false by default. */
  readonly centered?: boolean | undefined;
  /** `adam` and `adamw` divide by the largest mean of squared gradients so far; false by default. */
  readonly amsgrad?: boolean | undefined;
  /** What the sum of squared gradients begins with in `adagrad` and `ftrl`; 0.1 by default. */
  readonly initialAccumulator?: number | undefined;
  /** The power of the rate's fall in `ftrl`; -0.5 by default. */
  readonly learningRatePower?: number | undefined;
  /** Penalty of `ftrl` on absolute values; 0 by default. */
  readonly l1?: number | undefined;
  /** Penalty of `ftrl` on squares; 0 by default. */
  readonly l2?: number | undefined;
  /** Penalty of `ftrl` on squares, added to the gradient; 0 by default. */
  readonly l2Shrinkage?: number | undefined;
  /** Added to the sum's root in `ftrl`; 0 by default. */
  readonly beta?: number | undefined;
  /** `muon` takes filters of convolutions as matrices; by default Adam updates them, as in Keras. */
  readonly flattenFilters?: boolean | undefined;
  /**
   * Shrinks weights, except biases and the parameters of norms. `adamw`, `lion`, `lamb` and `muon` decouple the decay from the
   * gradient; the other optimizers add it to the gradient, like L2 regularization. 0.004 by default for `adamw` and `muon`, 0 for
   * the others.
   */
  readonly weightDecay?: number | undefined;
  /** Slow weights that follow the weights every few steps (Zhang et al. 2019); none by default. */
  readonly lookahead?: LookaheadOptions | undefined;
  /** Weights with a learning rate or a decay of their own; none by default. */
  readonly groups?: readonly ParameterGroup[] | undefined;
  /** Learning rates that fall from the head to the stem: a factor such as 0.75, or more exactly; none by default. */
  readonly layerDecay?: number | LayerDecay | undefined;
}

/** An optimizer whose learning rate may change between steps. */
export type LearningOptimizer = tf.Optimizer & { learningRate: number };

interface Known {
  /** The default learning rate. */
  readonly rate: number;
  /** The options besides those that all optimizers have. */
  readonly options: readonly (keyof OptimizerConfig)[];
  /** The default decay, if the optimizer shrinks weights apart from the gradient. */
  readonly decoupledDecay?: number;
}

const moments = ["beta1", "beta2", "epsilon"] as const;

const known: Readonly<Record<OptimizerName, Known>> = {
  sgd: { rate: 0.01, options: ["momentum"] },
  momentum: { rate: 0.01, options: ["momentum"] },
  nesterov: { rate: 0.01, options: ["momentum"] },
  adam: { rate: 0.001, options: [...moments, "amsgrad"] },
  adamw: { rate: 0.001, options: [...moments, "amsgrad"], decoupledDecay: 0.004 },
  adamax: { rate: 0.001, options: moments },
  nadam: { rate: 0.001, options: moments },
  rmsprop: { rate: 0.001, options: ["rho", "momentum", "epsilon", "centered"] },
  adagrad: { rate: 0.001, options: ["initialAccumulator", "epsilon"] },
  adadelta: { rate: 0.001, options: ["rho", "epsilon"] },
  lion: { rate: 0.001, options: ["beta1", "beta2"], decoupledDecay: 0 },
  ftrl: { rate: 0.001, options: ["learningRatePower", "initialAccumulator", "l1", "l2", "l2Shrinkage", "beta"] },
  lamb: { rate: 0.001, options: moments, decoupledDecay: 0 },
  muon: { rate: 0.001, options: ["momentum", "epsilon", "flattenFilters"], decoupledDecay: 0.004 },
};

const ofAll = [
  "learningRate",
  "weightDecay",
  "clipValue",
  "clipNorm",
  "globalClipNorm",
  "adaptiveClip",
  "lookahead",
  "groups",
  "layerDecay",
] as const satisfies readonly (keyof OptimizerConfig)[];

/** The options of an optimizer by name. */
export function optimizerOptions(name: OptimizerName): readonly (keyof OptimizerConfig)[] {
  return [...ofAll, ...known[name].options];
}

/** The configuration with its learning rate; throws `TrainerError` for an unknown optimizer. */
export function completeOptimizer(
  optimizer: OptimizerName | OptimizerConfig,
): OptimizerConfig & { readonly learningRate: number } {
  const config = typeof optimizer === "string" ? { name: optimizer } : optimizer;
  if (!optimizerNames.includes(config.name))
    throw new TrainerError(`Unknown optimizer "${String(config.name)}": known are ${optimizerNames.join(", ")}.`);
  return { ...config, learningRate: config.learningRate ?? known[config.name].rate };
}

/** The decay of a configuration, and whether it is apart from the gradient. */
export function decayOf({ name, weightDecay }: OptimizerConfig): { weightDecay: number; isDecoupled: boolean } {
  const { decoupledDecay } = known[name];
  return { weightDecay: weightDecay ?? decoupledDecay ?? 0, isDecoupled: decoupledDecay !== undefined };
}

/**
 * Makes the optimizer that a configuration describes, without its limits of gradients; `perVariable` has the factors of rates, and
 * the decays that are apart from the gradient.
 */
export function createOptimizer(
  config: OptimizerConfig,
  perVariable: (variable: tf.Variable) => VariableOptions,
): LearningOptimizer {
  const inner = plainOptimizer(config, perVariable);
  return config.lookahead === undefined ? inner : lookahead(inner, config.lookahead);
}

function plainOptimizer(
  config: OptimizerConfig,
  perVariable: (variable: tf.Variable) => VariableOptions,
): LearningOptimizer {
  const { name, momentum, beta1, beta2, rho, epsilon, centered, amsgrad, ...rest } = completeOptimizer(config);
  const { learningRate, initialAccumulator, flattenFilters } = rest;
  const shared = { learningRate, perVariable };
  switch (name) {
    case "sgd":
      return sgd({ ...shared, momentum });
    case "momentum":
      return sgd({ ...shared, momentum: momentum ?? 0.9 });
    case "nesterov":
      return sgd({ ...shared, momentum: momentum ?? 0.9, nesterov: true });
    case "adam":
      return adam({ ...shared, beta1, beta2, epsilon, amsgrad });
    case "adamw":
      return adamw({ ...shared, beta1, beta2, epsilon, amsgrad, weightDecay: 0 });
    case "rmsprop":
      return rmsprop({ ...shared, rho, momentum, epsilon, centered });
    case "adamax":
      return adamax({ ...shared, beta1, beta2, epsilon });
    case "nadam":
      return nadam({ ...shared, beta1, beta2, epsilon });
    case "adagrad":
      return adagrad({ ...shared, initialAccumulator, epsilon });
    case "adadelta":
      return adadelta({ ...shared, rho, epsilon });
    case "lion":
      return lion({ ...shared, beta1, beta2 });
    case "ftrl": {
      const { learningRatePower, l1, l2, l2Shrinkage, beta } = rest;
      return ftrl({ ...shared, learningRatePower, initialAccumulator, l1, l2, l2Shrinkage, beta });
    }
    case "lamb":
      return lamb({ ...shared, beta1, beta2, epsilon });
    case "muon":
      return muon({ ...shared, momentum, epsilon, flattenFilters, weightDecay: 0 });
  }
}
