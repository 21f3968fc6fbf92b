import * as tf from "@tensorflow/tfjs-core";
import type { ModelOutput } from "./model-outputs.ts";

/** The views of each image behind one another, `[views * n, ...] -> [n, ...]` each. */
export function viewsOf(output: ModelOutput, views: number): ModelOutput[] {
  return tf.split(output.values, views).map((values) => ({ ...output, values: values as tf.Tensor2D }));
}

/**
 * The mean over the images of the Jensen-Shannon divergence of the classes of some views, `[n, classes] -> []`: the mean of
 * the views' Kullback-Leibler divergences from their mean. The mean is cut at 1e-7, as in timm's JsdCrossEntropy.
 * Hendrycks et al. 2019, AugMix, section 3.
 */
export function jensenShannon(views: readonly ModelOutput[]): tf.Scalar {
  const logs = views.map(({ values, areLogits }) =>
    areLogits ? tf.logSoftmax(values) : tf.log(tf.maximum(values, 1e-7)),
  );
  const shares = logs.map((each) => tf.exp(each));
  const mean = tf.div(tf.addN(shares), views.length);
  const logMean = tf.log(tf.clipByValue(mean, 1e-7, 1));
  const divergences = shares.map((share, view) => tf.sum(tf.mul(share, tf.sub(logs[view]!, logMean)), -1));
  return tf.mean(tf.div(tf.addN(divergences), views.length)) as tf.Scalar;
}
