import * as tf from "@tensorflow/tfjs-core";
import { opAttributes, tensorFlowBackend } from "./tensorflow-backend.ts";
import type { TensorFlowBackend } from "./tensorflow-backend.ts";

/** Called with the batch's mean and population variance (`[c]` each) while they live. */
export type OnMoments = (mean: tf.Tensor1D, variance: tf.Tensor1D) => void;

/**
 * Batch normalisation over a batch's own statistics, with its gradient: `[n, h, w, c] -> [n, h, w, c]`.
 *
 * On TensorFlow's engines FusedBatchNormV3 and FusedBatchNormGradV3 do it in two kernels; elsewhere a handful of ops.
 * Source: Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167
 */
export function batchNormTraining(
  x: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  epsilon: number,
  onMoments: OnMoments,
): tf.Tensor4D {
  const backend = tensorFlowBackend();
  return backend === undefined
    ? composedBatchNorm(x, gamma, beta, epsilon, onMoments)
    : fusedBatchNorm(backend, x, gamma, beta, epsilon, onMoments);
}

function fusedBatchNorm(
  backend: TensorFlowBackend,
  x: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  epsilon: number,
  onMoments: OnMoments,
): tf.Tensor4D {
  const { TF_FLOAT } = backend.binding;
  const shared = { FLOAT: { epsilon }, BOOL: { is_training: true }, STRING: { data_format: "NHWC" } };
  const types = { TYPE: { T: TF_FLOAT, U: TF_FLOAT } };
  const count = x.size / (x.shape[3] as number);
  const forward = opAttributes(backend, {
    ...types,
    ...shared,
    FLOAT: { epsilon, exponential_avg_factor: 1 },
  });
  const backward = opAttributes(backend, { ...types, ...shared });

  const normalise = tf.customGrad((...args: unknown[]) => {
    const [x, gamma, beta, save] = args as [tf.Tensor, tf.Tensor, tf.Tensor, (tensors: tf.Tensor[]) => void];
    const none = tf.tensor1d([], "float32");
    const [y, mean, variance, reserve1, reserve2, reserve3] = backend.executeMultipleOutputs(
      "FusedBatchNormV3",
      forward,
      [x, gamma, beta, none, none],
      6,
    ) as [tf.Tensor, tf.Tensor1D, tf.Tensor1D, tf.Tensor, tf.Tensor, tf.Tensor];
    // The kernel hands out the sample variance (n - 1); Keras keeps the population's.
    onMoments(mean, tf.mul(variance, (count - 1) / count || 1));
    save([x, gamma, reserve1, reserve2, reserve3]);
    return {
      value: y,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [dx, dgamma, dbeta] = backend.executeMultipleOutputs(
          "FusedBatchNormGradV3",
          backward,
          [dy, ...saved],
          5,
        ) as [tf.Tensor, tf.Tensor, tf.Tensor];
        return [dx, dgamma, dbeta];
      },
    };
  });
  return normalise(x, gamma, beta) as tf.Tensor4D;
}

/** The same of ordinary ops, with the gradient in closed form: a tenth of the ops that automatic differentiation makes. */
export function composedBatchNorm(
  x: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  epsilon: number,
  onMoments: OnMoments,
): tf.Tensor4D {
  const count = x.size / (x.shape[3] as number);
  const axes = [0, 1, 2];
  const normalise = tf.customGrad((...args: unknown[]) => {
    const [x, gamma, beta, save] = args as [tf.Tensor4D, tf.Tensor1D, tf.Tensor1D, (tensors: tf.Tensor[]) => void];
    const mean = tf.mean(x, axes) as tf.Tensor1D;
    const centred = tf.sub(x, mean);
    const variance = tf.mean(tf.square(centred), axes) as tf.Tensor1D;
    const inverse = tf.rsqrt(tf.add(variance, epsilon));
    const normal = tf.mul(centred, inverse);
    onMoments(mean, variance);
    save([normal, tf.mul(gamma, inverse)]);
    return {
      value: tf.add(tf.mul(normal, gamma), beta),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [normal, scale] = saved as [tf.Tensor, tf.Tensor];
        const dbeta = tf.sum(dy, axes);
        const dgamma = tf.sum(tf.mul(dy, normal), axes);
        const along = tf.add(tf.mul(normal, tf.div(dgamma, count)), tf.div(dbeta, count));
        return [tf.mul(tf.sub(dy, along), scale), dgamma, dbeta];
      },
    };
  });
  return normalise(x, gamma, beta) as tf.Tensor4D;
}
