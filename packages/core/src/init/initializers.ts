import { OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { hashText, normalValues, truncatedNormalValues, uniformValues } from "./random.ts";

/** The initial values of a weight, as data. */
export type Init =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "uniform"; readonly low: number; readonly high: number }
  | { readonly kind: "normal"; readonly mean: number; readonly deviation: number }
  | { readonly kind: "truncatedNormal"; readonly mean: number; readonly deviation: number }
  | {
      readonly kind: "scaled";
      readonly scale: number;
      readonly mode: "fanIn" | "fanOut" | "fanAvg";
      readonly distribution: "uniform" | "normal" | "truncatedNormal";
    };

export const zeros: Init = { kind: "constant", value: 0 };
export const ones: Init = { kind: "constant", value: 1 };

/** Keras' default. Glorot and Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html */
export const glorotUniform: Init = { kind: "scaled", scale: 1, mode: "fanAvg", distribution: "uniform" };
export const glorotNormal: Init = { kind: "scaled", scale: 1, mode: "fanAvg", distribution: "truncatedNormal" };

/** For layers before a ReLU. He et al. 2015, https://arxiv.org/abs/1502.01852 */
export const heNormal: Init = { kind: "scaled", scale: 2, mode: "fanIn", distribution: "truncatedNormal" };
export const heUniform: Init = { kind: "scaled", scale: 2, mode: "fanIn", distribution: "uniform" };

/** The initializer of PyTorch's ResNets: `kaiming_normal_(mode="fan_out", nonlinearity="relu")`. */
export const heNormalFanOut: Init = { kind: "scaled", scale: 2, mode: "fanOut", distribution: "normal" };
export const lecunNormal: Init = { kind: "scaled", scale: 1, mode: "fanIn", distribution: "truncatedNormal" };
export const lecunUniform: Init = { kind: "scaled", scale: 1, mode: "fanIn", distribution: "uniform" };

/** Keras' `random_normal` with its default deviation. */
export function randomNormal(deviation = 0.05, mean = 0): Init {
  return { kind: "normal", mean, deviation };
}

export function randomUniform(low = -0.05, high = 0.05): Init {
  return { kind: "uniform", low, high };
}

export function truncatedNormal(deviation = 0.05, mean = 0): Init {
  return { kind: "truncatedNormal", mean, deviation };
}

/** An initializer of tfjs-layers. */
export type LayerInitializer = ReturnType<typeof tfl.initializers.zeros>;

/**
 * A tfjs initializer for one weight. Saved files contain tfjs' own configuration. The values are drawn faster, from the
 * network's seed and the weight's path, so they do not depend on the order in which layers are made.
 */
export function initializer(init: Init, path: string): LayerInitializer {
  const seed = seedFor(path);
  const made = stockInitializer(init, seed);
  if (made === undefined || !hasNumbers(init)) {
    throw new OptionError(
      `${path}: expected an initializer such as glorotUniform or randomNormal(), got ${shown(init)}.`,
    );
  }
  made.apply = (shape, dtype = "float32") =>
    draws
      ? tf.tensor(drawValues(init, shape as number[], seed), shape as number[], dtype)
      : tf.zeros(shape as number[], dtype);
  return made as LayerInitializer;
}

/** True if an initializer's numbers are finite; deviations and scales are at least 0. */
function hasNumbers(init: Init): boolean {
  const numbers = Object.entries(init).filter(([name]) => !["kind", "mode", "distribution"].includes(name));
  const fits = numbers.every(
    ([name, value]) =>
      Number.isFinite(value) && (!["deviation", "scale"].includes(name) || (value as unknown as number) >= 0),
  );
  return fits && (init.kind !== "uniform" || init.low <= init.high);
}

/** Draws the values of one weight. Fan in and fan out are computed from `shape`, like Keras does for kernels. */
export function drawValues(init: Init, shape: readonly number[], seed: number): Float32Array {
  const length = shape.reduce((product, size) => product * size, 1);
  switch (init.kind) {
    case "constant":
      return new Float32Array(length).fill(init.value);
    case "uniform":
      return uniformValues(length, init.low, init.high, seed);
    case "normal":
      return normalValues(length, init.mean, init.deviation, seed);
    case "truncatedNormal":
      return truncatedNormalValues(length, init.mean, init.deviation, seed);
    case "scaled": {
      const [fanIn, fanOut] = fans(shape);
      const fan = { fanIn, fanOut, fanAvg: (fanIn + fanOut) / 2 }[init.mode];
      const variance = init.scale / Math.max(1, fan);
      if (init.distribution === "uniform") {
        const limit = Math.sqrt(3 * variance);
        return uniformValues(length, -limit, limit, seed);
      }
      if (init.distribution === "normal") return normalValues(length, 0, Math.sqrt(variance), seed);
      return truncatedNormalValues(length, 0, Math.sqrt(variance) / CUT_DEVIATION, seed);
    }
  }
}

/** A seed of 31 bits for the weight or layer at a path. */
export function seedFor(path: string): number {
  return hashText(path, networkSeed) >>> 1;
}

function checkMake(where: string, make: unknown): void {
  if (typeof make === "function") return;
  throw new OptionError(`${where}: expected a function that makes a model or its layers, got ${shown(make)}.`);
}

/** Runs `make`; the initializers that `make` creates draw from `seed`. */
export function withSeed<T>(seed: number, make: () => T): T {
  if (!Number.isInteger(seed)) {
    throw new OptionError(`withSeed: expected a seed that is a whole number, got ${shown(seed)}.`);
  }
  checkMake("withSeed", make);
  const before = networkSeed;
  networkSeed = seed;
  try {
    return make();
  } finally {
    networkSeed = before;
  }
}

/** Runs `make`; initializers give zeros instead of drawing. For networks whose weights are loaded from a file. */
export function withoutDrawing<T>(make: () => T): T {
  checkMake("withoutDrawing", make);
  const before = draws;
  draws = false;
  try {
    return make();
  } finally {
    draws = before;
  }
}

let networkSeed = 0;
let draws = true;

/** The standard deviation of a standard normal distribution cut at two deviations. */
const CUT_DEVIATION = 0.87962566103423978;

function fans(shape: readonly number[]): [number, number] {
  if (shape.length < 2) return [shape[0] ?? 1, shape[0] ?? 1];
  const window = shape.slice(0, -2).reduce((product, size) => product * size, 1);
  return [window * (shape.at(-2) as number), window * (shape.at(-1) as number)];
}

function stockInitializer(init: Init, seed: number): LayerInitializer | undefined {
  switch (init?.kind) {
    case "constant":
      if (init.value === 0) return tfjs.zeros();
      return init.value === 1 ? tfjs.ones() : tfjs.constant({ value: init.value });
    case "uniform":
      return tfjs.randomUniform({ minval: init.low, maxval: init.high, seed });
    case "normal":
      return tfjs.randomNormal({ mean: init.mean, stddev: init.deviation, seed });
    case "truncatedNormal":
      return tfjs.truncatedNormal({ mean: init.mean, stddev: init.deviation, seed });
    case "scaled": {
      const distribution = init.distribution === "uniform" ? "uniform" : "normal";
      return tfjs.varianceScaling({ scale: init.scale, mode: init.mode, distribution, seed });
    }
    default:
      return undefined;
  }
}
