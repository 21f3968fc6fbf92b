import * as tf from "@tensorflow/tfjs-core";

/** Options of the triplet losses. */
export interface TripletOptions {
  /** How much farther a negative example must be than a positive one; 1 by default. */
  readonly margin?: number | undefined;
}

/**
 * The triplet loss with semi-hard negatives (Schroff et al. 2015, section 3.2), as TensorFlow Addons'
 * `triplet_semihard_loss`: for each pair of examples of one class, the nearest negative that is farther than the positive one, or
 * the farthest negative if none is. The mean of the result is the mean over all such pairs, 0 if there is none. Distances are
 * Euclidean; give embeddings of length 1. `[n] int32, [n, d] -> [n]`
 */
export function tripletSemiHard(labels: tf.Tensor, embeddings: tf.Tensor, options: TripletOptions = {}): tf.Tensor1D {
  const { margin = 1 } = options;
  const distances = pairwiseDistances(embeddings);
  const { positive, negative } = pairs(labels);
  const ofPositive = tf.expandDims(distances, 2);
  const ofNegative = tf.expandDims(distances, 1);
  // A step has a gradient, 0; a comparison has none in tfjs.
  const isFarther = tf.mul(tf.step(tf.sub(ofNegative, ofPositive)), tf.expandDims(negative, 1));
  const nearestFarther = maskedMinimum(ofNegative, isFarther);
  const farthest = maskedMaximum(distances, negative);
  const hasFarther = tf.step(tf.sum(isFarther, 2));
  const chosen = tf.add(tf.mul(hasFarther, nearestFarther), tf.mul(tf.sub(1, hasFarther), tf.expandDims(farthest, 1)));
  const each = tf.relu(tf.mul(tf.add(tf.sub(distances, chosen), margin), positive));
  // The mean over the examples is the mean over the pairs.
  const share = tf.divNoNan(embeddings.shape[0]!, tf.sum(positive));
  return tf.mul(tf.sum(each, 1), share);
}

/**
 * The triplet loss with the hardest examples of a batch (Hermans et al. 2017, section 2), as TensorFlow Addons'
 * `triplet_hard_loss`: for each example, the farthest of its class and the nearest of another class. Distances are Euclidean; give
 * embeddings of length 1. `[n] int32, [n, d] -> [n]`
 */
export function tripletHard(labels: tf.Tensor, embeddings: tf.Tensor, options: TripletOptions = {}): tf.Tensor1D {
  const { margin = 1 } = options;
  const distances = pairwiseDistances(embeddings);
  const { positive, negative } = pairs(labels);
  const farthest = maskedMaximum(distances, positive);
  const nearest = maskedMinimum(distances, negative);
  return tf.relu(tf.add(tf.sub(farthest, nearest), margin)) as tf.Tensor1D;
}

/** 1 for pairs of two examples of one class, and 1 for pairs of different classes. `[n] -> [n, n], [n, n]` */
function pairs(labels: tf.Tensor): { positive: tf.Tensor; negative: tf.Tensor } {
  const column = tf.reshape(labels, [-1, 1]);
  const same = tf.cast(tf.equal(column, tf.transpose(column)), "float32");
  const itself = tf.eye(labels.shape[0]!);
  return { positive: tf.sub(same, itself), negative: tf.sub(1, same) };
}

/** Euclidean distances; the gradient of a distance of 0 is 0. `[n, d] -> [n, n]` */
function pairwiseDistances(vectors: tf.Tensor): tf.Tensor {
  const squares = tf.sum(tf.square(vectors), 1, true);
  const products = tf.matMul(vectors as tf.Tensor2D, vectors as tf.Tensor2D, false, true);
  const squared = tf.relu(tf.sub(tf.add(squares, tf.transpose(squares)), tf.mul(2, products)));
  const isApart = tf.mul(tf.step(squared), tf.sub(1, tf.eye(vectors.shape[0]!)));
  const filled = tf.add(squared, tf.mul(tf.sub(1, isApart), 1e-16));
  return tf.mul(tf.sqrt(filled), isApart);
}

/** The least value over the last axis where `mask` is 1; the greatest of all where it is nowhere. */
function maskedMinimum(values: tf.Tensor, mask: tf.Tensor): tf.Tensor {
  const most = tf.max(values, -1, true);
  return tf.squeeze(tf.add(tf.min(tf.mul(tf.sub(values, most), mask), -1, true), most), [-1]);
}

/** The greatest value over the last axis where `mask` is 1; the least of all where it is nowhere. */
function maskedMaximum(values: tf.Tensor, mask: tf.Tensor): tf.Tensor {
  const least = tf.min(values, -1, true);
  return tf.squeeze(tf.add(tf.max(tf.mul(tf.sub(values, least), mask), -1, true), least), [-1]);
}
