import * as tf from "@tensorflow/tfjs-core";

/**
 * A function that makes means of sums over `images` images. Sums over no images are 0, and so are their means: the number is a whole one,
 * so that 1 may stand in for 0. `divNoNan` would make four passes over each sum.
 */
export function imageMean(images: tf.Tensor): (sum: tf.Tensor) => tf.Tensor {
  const divisor = tf.maximum(images, 1);
  return (sum) => tf.div(sum, divisor);
}
