import * as tf from "@tensorflow/tfjs-core";
import { initializers } from "@tensorflow/tfjs-layers";
import { uniformStream } from "./philox.ts";

/** The source of an augmentation's random numbers. In a compiled step the graph draws them anew at each run. */
export interface RandomSource {
  /** Numbers in `[min, max)`. */
  uniform(shape: number[], min: number, max: number): tf.Tensor;
  normal(shape: number[], mean: number, deviation: number): tf.Tensor;
}

/**
 * tfjs' own random numbers, drawn with tfjs-layers' initializers. A tracer that replaces the initializers' draws by
 * random ops of the graph (as @convkit/graph does) then replaces these too. The initializers read a bound or a
 * deviation of 0 as "not given", hence the range from 1 to 2 and the deviation of 1.
 */
export const layersRandom: RandomSource = {
  uniform: (shape, min, max) => tf.tidy(() => tf.add(tf.mul(tf.sub(fromOneToTwo.apply(shape), 1), max - min), min)),
  normal: (shape, mean, deviation) => tf.tidy(() => tf.add(tf.mul(standardNormal.apply(shape), deviation), mean)),
};

const fromOneToTwo = initializers.randomUniform({ minval: 1, maxval: 2 });
const standardNormal = initializers.randomNormal({ mean: 0, stddev: 1 });

/**
 * Random numbers from a seed, the same on every backend. They are drawn in JavaScript. A function compiled with
 * @convkit/graph refuses them, since they would be constants there.
 */
export function seededRandom(seed: number, stream = 0): RandomSource {
  const next = uniformStream(seed, stream);
  // Uses `tf.rand`, not `tf.tensor`, so that @convkit/graph sees that the numbers are random.
  const draw = (shape: number[], number: () => number) => tf.rand(shape, number, "float32");
  return {
    uniform: (shape, min, max) => draw(shape, () => min + (max - min) * next()),
    // The Box-Muller method; 1 - next() is never 0.
    normal: (shape, mean, deviation) =>
      draw(shape, () => mean + deviation * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())),
  };
}
