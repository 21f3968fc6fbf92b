import * as tf from "@tensorflow/tfjs-core";
import { hasTensorflow, statelessRandom } from "../tensorflow-ops.ts";
import { type RandomSource, seededRandom } from "./random-source.ts";

/** The state of a layer's random numbers: its seed and how often it drew, `[2]`. */
export function randomStream(seed: number): tf.Variable {
  return tf.tidy(() => tf.variable(tf.tensor1d([seed, 0], "int32"), false, undefined, "int32"));
}

/**
 * The random numbers of a state, which each draw moves on. Where TensorFlow runs, it draws, so that a step compiled to a graph draws
 * other numbers at every run.
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

/** A seed for a layer that has none, from its name (FNV-1a): layers that draw from one seed would turn and shift an image alike. */
export function seedOf(name: string): number {
  let hash = 0x811c_9dc5;
  for (const letter of name) hash = Math.imul(hash ^ letter.codePointAt(0)!, 0x0100_0193);
  return hash;
}
