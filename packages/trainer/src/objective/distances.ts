import * as tf from "@tensorflow/tfjs-core";

/** Keras' bound on probabilities and norms. */
const epsilon = 1e-7;

/** Mean of the squared differences over the last axis. `[n, k], [n, k] -> [n]` */
export function meanSquaredError(yTrue: tf.Tensor, yPred: tf.Tensor): tf.Tensor1D {
  return tf.mean(squaredErrors(yTrue, yPred), -1);
}

/** Mean of the absolute differences over the last axis. `[n, k], [n, k] -> [n]` */
export function meanAbsoluteError(yTrue: tf.Tensor, yPred: tf.Tensor): tf.Tensor1D {
  return tf.mean(absoluteErrors(yTrue, yPred), -1);
}

/** Options of `huber`. */
export interface HuberOptions {
  /** The difference from which on the loss grows linearly; 1 by default. */
  readonly delta?: number | undefined;
}

/**
 * Mean over the last axis of the Huber loss (Huber 1964): half the squared difference up to `delta`, linear beyond.
 * `[n, k], [n, k] -> [n]`
 */
export function huber(yTrue: tf.Tensor, yPred: tf.Tensor, options: HuberOptions = {}): tf.Tensor1D {
  return tf.mean(huberErrors(yTrue, yPred, options), -1);
}

/** The cosine of the angle between two vectors, with a minus sign: -1 for the same direction. `[n, k], [n, k] -> [n]` */
export function cosineSimilarity(yTrue: tf.Tensor, yPred: tf.Tensor): tf.Tensor1D {
  return tf.neg(tf.sum<tf.Tensor1D>(tf.mul(normalized(yTrue), normalized(yPred)), -1));
}

/** Options of `klDivergence`. */
export interface DivergenceOptions {
  /** The outputs are logits: no softmax was applied; false by default. */
  readonly fromLogits?: boolean | undefined;
}

/**
 * The Kullback-Leibler divergence of distributions, with Keras' bound of 1e-7 on probabilities. `[n, classes], [n, classes] -> [n]`
 */
export function klDivergence(yTrue: tf.Tensor, yPred: tf.Tensor, options: DivergenceOptions = {}): tf.Tensor1D {
  const { fromLogits = false } = options;
  const wanted = tf.clipByValue(yTrue, epsilon, 1);
  const logs = fromLogits ? tf.logSoftmax(yPred) : tf.log(tf.clipByValue(yPred, epsilon, 1));
  return tf.sum(tf.mul(wanted, tf.sub(tf.log(wanted), logs)), -1);
}

/** `[n, k], [n, k] -> [n, k]` */
export function squaredErrors(yTrue: tf.Tensor, yPred: tf.Tensor): tf.Tensor {
  return tf.square(tf.sub(yPred, yTrue));
}

/** `[n, k], [n, k] -> [n, k]` */
export function absoluteErrors(yTrue: tf.Tensor, yPred: tf.Tensor): tf.Tensor {
  // The gradient of tfjs' absolute value is -1 at 0; Keras' is 0.
  const difference = tf.sub(yPred, yTrue);
  return tf.mul(difference, tf.sub(tf.step(difference), tf.step(tf.neg(difference))));
}

/** `[n, k], [n, k] -> [n, k]` */
export function huberErrors(yTrue: tf.Tensor, yPred: tf.Tensor, { delta = 1 }: HuberOptions = {}): tf.Tensor {
  const error = tf.abs(tf.sub(yPred, yTrue));
  const near = tf.minimum(error, delta);
  // Up to delta this is error² / 2, beyond delta * error - delta² / 2.
  return tf.add(tf.mul(tf.square(near), 0.5), tf.mul(delta, tf.sub(error, near)));
}

/** Vectors of length 1; Keras divides by 1e-7 at least. */
function normalized(vectors: tf.Tensor): tf.Tensor {
  const length = tf.sqrt(tf.maximum(tf.sum(tf.square(vectors), -1, true), epsilon ** 2));
  return tf.div(vectors, length);
}
