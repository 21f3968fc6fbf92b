import { allReduce } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";
import type { layers, LayersModel, LayerVariable } from "@tensorflow/tfjs-layers";
import { isModel } from "./named-weights.ts";

/** A batch normalization over the last axis. */
interface Norm extends layers.Layer {
  readonly axis: number;
  readonly epsilon: number;
  readonly momentum: number;
  readonly gamma?: LayerVariable;
  readonly beta?: LayerVariable;
  readonly movingMean: LayerVariable;
  readonly movingVariance: LayerVariable;
}

/**
 * Runs `fn`, which applies the model in training inside a compiled step. Every batch normalization that learns takes mean and variance over
 * the images of all workers, as Keras' `synchronized=True` and PyTorch's SyncBatchNorm; `images` is the number of this worker's images that
 * count, 0 for one that stands in. The layers are restored when `fn` returns.
 */
export function withSynchronizedNorms<T>(model: LayersModel, images: tf.Scalar, fn: () => T): T {
  const norms = learningNorms(model);
  for (const norm of norms) {
    const call = norm.call.bind(norm);
    norm.call = (inputs, options) => {
      const [x] = [inputs].flat();
      const isLast = norm.axis === -1 || norm.axis === x!.rank - 1;
      return options["training"] === true && isLast
        ? tf.tidy(() => normalized(norm, x!, images))
        : call(inputs, options);
    };
  }
  try {
    return fn();
  } finally {
    // Deleting the own property makes the class's method visible again.
    for (const norm of norms) delete (norm as Partial<layers.Layer>).call;
  }
}

function learningNorms(model: LayersModel): Norm[] {
  return model.layers.flatMap((layer) => {
    if (!layer.trainable) return [];
    if (isModel(layer)) return learningNorms(layer);
    return layer.getClassName() === "BatchNormalization" ? [layer as Norm] : [];
  });
}

const exact = { exact: () => true };

/** `[n, ..., c] -> [n, ..., c]`, with the gradient in closed form. */
function normalized(norm: Norm, x: tf.Tensor, images: tf.Scalar): tf.Tensor {
  const channels = x.shape.at(-1)!;
  const axes = [...x.shape.keys()].slice(0, -1);
  // The worker's images and all of them; a stand-in counts for nothing.
  const counts = tf.minimum(images, 1);
  const places = x.size / channels / x.shape[0]!;
  const over = (values: tf.Tensor): tf.Tensor => tf.mul(tf.sum(values, axes), counts);
  const gamma = (norm.gamma?.read() ?? tf.ones([channels])) as tf.Tensor;
  const beta = (norm.beta?.read() ?? tf.zeros([channels])) as tf.Tensor;
  const compute = tf.customGrad((...given: unknown[]) => {
    const [x, gamma, beta, save] = given as [tf.Tensor, tf.Tensor, tf.Tensor, (kept: tf.Tensor[]) => void];
    const [sum, total] = allReduce<tf.Tensor>([over(x), images], exact);
    const count = tf.mul(total!, places);
    const mean = tf.div(sum!, count);
    const [squares] = allReduce([over(tf.square(tf.sub(x, mean)))], exact);
    const variance = tf.div(squares!, count);
    move(norm, norm.movingMean, mean);
    move(norm, norm.movingVariance, variance);
    const inverse = tf.rsqrt(tf.add(variance, norm.epsilon));
    const scale = tf.mul(gamma, inverse);
    save([x, gamma, mean, inverse, count, total!]);
    const gradFunc = (dy: tf.Tensor, kept: tf.Tensor[]): tf.Tensor[] => {
      const [x, gamma, mean, inverse, count, total] = kept as [
        tf.Tensor,
        tf.Tensor,
        tf.Tensor,
        tf.Tensor,
        tf.Tensor,
        tf.Tensor,
      ];
      const normal = tf.mul(tf.sub(x, mean), inverse);
      const [dbeta, dgamma] = [tf.sum(dy, axes), tf.sum(tf.mul(dy, normal), axes)];
      // The loss of each worker is the mean over its own images, and counts by their number.
      const [beta, alpha] = allReduce([tf.mul(dbeta, images), tf.mul(dgamma, images)], exact);
      const others = tf.div(tf.add(tf.mul(normal, alpha!), beta!), count);
      const share = tf.divNoNan(tf.onesLike(total), images);
      return [tf.mul(tf.sub(dy, tf.mul(others, share)), tf.mul(gamma, inverse)), dgamma, dbeta];
    };
    return { value: tf.add(tf.mul(x, scale), tf.sub(beta, tf.mul(mean, scale))), gradFunc };
  });
  return compute(x, gamma, beta) as tf.Tensor;
}

function move({ momentum }: Norm, average: LayerVariable, value: tf.Tensor): void {
  const before = average.read();
  average.write(tf.add(before, tf.mul(tf.sub(value, before), 1 - momentum)));
}
