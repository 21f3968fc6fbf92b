import type { Draw } from "./draw.ts";

/** An optimizer of tfjs with drawn options, and Keras' name of it; without a name, the finder has the formula. */
export interface OptimizerCase {
  readonly name: "sgd" | "momentum" | "adagrad" | "adadelta" | "adam" | "adamax" | "rmsprop";
  readonly keras: string | undefined;
  readonly options: Readonly<Record<string, number | boolean>>;
  readonly seed: number;
}

const between = (d: Draw, low: number, high: number): number => Math.round((low + (high - low) * d.unit()) * 1e4) / 1e4;

const makers: readonly ((d: Draw) => Omit<OptimizerCase, "seed">)[] = [
  (d) => ({ name: "sgd", keras: "SGD", options: { learningRate: between(d, 0.01, 0.3) } }),
  (d) => ({
    name: "momentum",
    keras: "SGD",
    options: { learningRate: between(d, 0.01, 0.1), momentum: between(d, 0.1, 0.95), nesterov: d.flip() },
  }),
  (d) => ({
    name: "adagrad",
    keras: "Adagrad",
    options: { learningRate: between(d, 0.01, 0.3), initialAccumulatorValue: between(d, 0.01, 0.5) },
  }),
  // tfjs divides by the mean square before this update, Keras by the one after it.
  (d) => ({
    name: "adadelta",
    keras: undefined,
    options: { learningRate: between(d, 0.1, 1), rho: between(d, 0.5, 0.99), epsilon: d.of(1e-7, 1e-3) },
  }),
  (d) => ({
    name: "adamax",
    keras: "Adamax",
    options: { ...moments(d), decay: d.of(0, 0.05) },
  }),
  (d) => ({ name: "rmsprop", keras: "RMSprop", options: { ...squares(d), centered: false } }),
  // tfjs adds epsilon to the unbiased root, Keras scales it with the correction of the bias.
  (d) => ({ name: "adam", keras: undefined, options: moments(d) }),
  // tfjs subtracts epsilon from the variance, Keras adds it.
  (d) => ({ name: "rmsprop", keras: undefined, options: { ...squares(d), centered: true } }),
];

function moments(d: Draw) {
  return {
    learningRate: between(d, 0.01, 0.1),
    beta1: between(d, 0.5, 0.95),
    beta2: between(d, 0.8, 0.999),
    epsilon: d.of(1e-7, 1e-3),
  };
}

function squares(d: Draw) {
  return {
    learningRate: between(d, 0.005, 0.05),
    decay: between(d, 0.5, 0.95),
    momentum: d.of(0, 0.5, 0.9),
    epsilon: d.of(1e-7, 1e-3),
  };
}

export function optimizerCases(d: Draw, times: number): OptimizerCase[] {
  return Array.from({ length: times }, () => makers.map((make) => ({ ...make(d), seed: d.int(1, 1_000_000) }))).flat();
}
