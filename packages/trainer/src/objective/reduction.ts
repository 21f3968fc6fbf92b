import * as tf from "@tensorflow/tfjs-core";

/** Keras' reductions of the losses of a batch to one number. */
export const reductions = ["sum-over-batch-size", "sum", "mean", "mean-with-sample-weight"] as const;

/**
 * How the losses of a batch become one number, as in Keras: the sum over the number of values (`sum-over-batch-size`, `mean`), the sum,
 * or the sum over the sum of the weights (`mean-with-sample-weight`).
 */
export type Reduction = (typeof reductions)[number];

/**
 * Reduces the losses, each multiplied by its example's weight. `judged` is 1 for each value that counts and 0 for the
 * others, whose losses are 0: a mean is over those that count, as with Keras' `ignore_class`. `[n, ...], [n], [n, ...] -> []`
 */
export function reduceLosses(
  losses: tf.Tensor,
  weights: tf.Tensor | undefined,
  reduction: Reduction = "sum-over-batch-size",
  judged?: tf.Tensor | undefined,
): tf.Scalar {
  const spread = weights && tf.reshape(weights, [...weights.shape, ...losses.shape.slice(1).map(() => 1)]);
  const weighted = spread === undefined ? losses : tf.mul(losses, spread);
  if (reduction === "sum") return tf.sum(weighted);
  if (reduction === "mean-with-sample-weight" && spread !== undefined)
    return tf.div(
      tf.sum(weighted),
      orOne(judged === undefined ? tf.mul(tf.sum(spread), losses.size / spread.size) : tf.sum(tf.mul(judged, spread))),
    );
  if (judged !== undefined) return tf.div(tf.sum(weighted), orOne(tf.sum(judged)));
  return tf.mean(weighted);
}

/** The divisor, or 1 for 0: the sum over no weight is 0. */
function orOne(divisor: tf.Tensor): tf.Tensor {
  return tf.where(tf.equal(divisor, 0), tf.onesLike(divisor), divisor);
}
