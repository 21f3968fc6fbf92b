import * as tf from "@tensorflow/tfjs-core";

/** The true and the most likely class of each example or pixel, flat. */
export function classesOf(
  yTrue: tf.Tensor,
  yPred: tf.Tensor,
): { actual: tf.Tensor; predicted: tf.Tensor; classes: number } {
  const width = yPred.shape.at(-1)!;
  const isMixed = yTrue.rank === yPred.rank && (yTrue.shape.at(-1)! > 1 || width > 1);
  const actual = isMixed ? tf.argMax(yTrue, -1) : tf.cast(yTrue, "int32");
  const predicted = width === 1 ? tf.cast(tf.greater(tf.squeeze(yPred, [-1]), 0.5), "int32") : tf.argMax(yPred, -1);
  return { actual: tf.reshape(actual, [-1]), predicted: tf.reshape(predicted, [-1]), classes: Math.max(2, width) };
}

/** The true values in the shape of the predictions; class numbers become a 1 for the class. */
export function labelsOf(yTrue: tf.Tensor, yPred: tf.Tensor): tf.Tensor {
  const width = yPred.shape.at(-1)!;
  if (yTrue.size === yPred.size) return tf.reshape(tf.cast(yTrue, "float32"), yPred.shape);
  if (width === 1 && yTrue.size === 2 * yPred.size) return tf.slice(yTrue, [0, 1], [-1, 1]);
  return tf.oneHot(tf.cast(yTrue, "int32") as tf.Tensor1D, width, 1, 0, "float32");
}
