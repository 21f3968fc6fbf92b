import * as tf from "@tensorflow/tfjs-core";
import { hasTensorflow, statelessRandom } from "../tensorflow-ops.ts";
import { type RandomSource, seededRandom } from "./random-source.ts";

/** The state of a layer's random numbers: the seed and the number of draws, `[2]`. */
export function randomStream(seed: number): tf.Variable {
  return tf.tidy(() => tf.variable(tf.tensor1d([seed, 0], "int32"), false, undefined, "int32"));
}

/**
 * Random numbers from a state, which each draw advances. On TensorFlow, TensorFlow draws them. So a step compiled to a
 * graph draws new numbers at every run.
 */
export function streamRandom(stream: tf.Variable): RandomSource {
  if (!hasTensorflow()) {
    const [seed = 0, before = 0] = stream.dataSync<"int32">();
    tf.tidy(() => stream.assign(tf.tensor1d([seed, before + 1], "int32")));
    return seededRandom(seed >>> 0, before + 1);
  }
  const draw = (distribution: "Uniform" | "Normal", shape: number[]) => {
    stream.assign(tf.add(stream, tf.tensor1d([0, 1], "int32")));
    return statelessRandom(distribution, shape, stream);
  };
  return {
    uniform: (shape, min, max) => tf.tidy(() => tf.add(tf.mul(draw("Uniform", shape), max - min), min)),
    normal: (shape, mean, deviation) => tf.tidy(() => tf.add(tf.mul(draw("Normal", shape), deviation), mean)),
  };
}

/**
 * A seed from the name of a layer without a seed (FNV-1a). With a common seed, layers would rotate and shift an image
 * by related amounts.
 */
export function seedOf(name: string): number {
  let hash = 0x811c_9dc5;
  for (const letter of name) hash = Math.imul(hash ^ letter.codePointAt(0)!, 0x0100_0193);
  return hash;
}
