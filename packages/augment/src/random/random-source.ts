import * as tf from "@tensorflow/tfjs-core";
import { initializers } from "@tensorflow/tfjs-layers";
import { uniformStream } from "../random/philox.ts";

/** Where augmentation gets its random numbers: inside a compiled step they must be drawn by the graph. */
export interface RandomSource {
  /** Numbers in `[min, max)`. */
  uniform(shape: number[], min: number, max: number): tf.Tensor;
  normal(shape: number[], mean: number, deviation: number): tf.Tensor;
}

/**
 * tfjs' own random numbers, drawn the way tfjs-layers' initialisers draw theirs: where a tracer replaces those by random ops
 * of the graph (as @convkit/graph does), it replaces these. The initialisers take a bound, or a deviation, of 0 for none given,
 * and so are asked for others.
 */
export const layersRandom: RandomSource = {
  uniform: (shape, min, max) => tf.tidy(() => tf.add(tf.mul(tf.sub(fromOneToTwo.apply(shape), 1), max - min), min)),
  normal: (shape, mean, deviation) => tf.tidy(() => tf.add(tf.mul(standardNormal.apply(shape), deviation), mean)),
};

const fromOneToTwo = initializers.randomUniform({ minval: 1, maxval: 2 });
const standardNormal = initializers.randomNormal({ mean: 0, stddev: 1 });

/** Random numbers of a seed, the same on every backend; drawn in JavaScript, so not for a function that is traced. */
export function seededRandom(seed: number, stream = 0): RandomSource {
  const next = uniformStream(seed, stream);
  const draw = (shape: number[], number: () => number) =>
    tf.tensor(Float32Array.from({ length: tf.util.sizeFromShape(shape) }, number), shape);
  return {
    uniform: (shape, min, max) => draw(shape, () => min + (max - min) * next()),
    // Box and Muller; 1 - next() is never 0.
    normal: (shape, mean, deviation) =>
      draw(shape, () => mean + deviation * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())),
  };
}
