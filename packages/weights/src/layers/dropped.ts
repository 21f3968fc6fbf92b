import * as tf from "@tensorflow/tfjs-core";

/** Sets a share of the values to zero and scales the others up; the input itself if the rate is 0. */
export function dropped(x: tf.Tensor, rate: number, sides: number[] = x.shape): tf.Tensor {
  if (rate === 0) return x;
  const kept = tf.floor(tf.add(tf.randomUniform(sides), 1 - rate));
  return tf.mul(x, tf.div(kept, 1 - rate));
}
