import * as tf from "@tensorflow/tfjs-core";
import { defineOptimizer } from "./define-optimizer.ts";
import { moved, norm } from "./keras-optimizers.ts";

const options = {
  learningRate: 0.001,
  weightDecay: 0.004,
  momentum: 0.95,
  nesterov: true,
  /** Steps of the Newton-Schulz iteration. */
  steps: 5,
  /** Factor that gives updates the root mean square of Adam's (Liu et al. 2025, https://arxiv.org/abs/2502.16982). */
  rmsRate: 0.2,
  /**
   * Filters of convolutions are taken as matrices `[height * width * channels, filters]`; without, Adam updates them, as in Keras.
   */
  flattenFilters: false,
  /** Factor on the learning rate of the variables that Adam updates. */
  adamRateFactor: 1,
  adamBeta1: 0.9,
  adamBeta2: 0.999,
  epsilon: 1e-7,
};

/** True for a matrix, and with `flattenFilters` for a filter of a convolution. Names with "embedding" are left to Adam. */
function isOrthogonalized({ shape, name }: tf.Variable, { flattenFilters }: { flattenFilters: boolean }): boolean {
  if (name.toLowerCase().includes("embedding")) return false;
  return shape.length === 2 || (flattenFilters && shape.length === 4);
}

/**
 * Muon with Keras' defaults: momentum whose matrices are made orthogonal (Jordan et al. 2024,
 * https://kellerjordan.github.io/posts/muon/); Adam for all other variables.
 */
export const muon = defineOptimizer("Muon", {
  options,
  slots: (variable, own) => ({
    m: 0,
    ...(isOrthogonalized(variable, own) ? {} : { v: 0 }),
  }),
  update: ({ weight, gradient, rate, step, slots }, own) => {
    const { m, v } = slots as { m: tf.Tensor; v?: tf.Tensor };
    if (v !== undefined) {
      const [first, second] = [moved(m, gradient, own.adamBeta1), moved(v, tf.square(gradient), own.adamBeta2)];
      const correction = tf.div(
        tf.sqrt(tf.sub(1, tf.pow(own.adamBeta2, step))),
        tf.sub(1, tf.pow(own.adamBeta1, step)),
      );
      const scale = tf.mul(tf.mul(rate, own.adamRateFactor), correction);
      const change = tf.div(tf.mul(first, scale), tf.add(tf.sqrt(second), own.epsilon));
      return { weight: tf.sub(weight, change), m: first, v: second };
    }
    const sum = tf.add(tf.mul(m, own.momentum), gradient);
    const direction = own.nesterov ? tf.add(gradient, tf.mul(sum, own.momentum)) : sum;
    const matrix = tf.reshape(direction, [-1, weight.shape.at(-1)!]) as tf.Tensor2D;
    const factor = Math.sqrt(Math.max(...matrix.shape)) * own.rmsRate;
    const change = tf.reshape(tf.mul(orthogonalized(matrix, own.steps), factor), weight.shape);
    return { weight: tf.sub(weight, tf.mul(change, rate)), m: sum };
  },
});

/** Moves the singular values of a matrix near 1 by Newton-Schulz iterations. `[n, m] -> [n, m]` */
function orthogonalized(matrix: tf.Tensor2D, steps: number): tf.Tensor2D {
  const [rows, columns] = matrix.shape;
  const isTall = rows > columns;
  let x = isTall ? tf.transpose(matrix) : matrix;
  x = tf.div(x, tf.add(norm(x), 1e-7));
  for (let i = 0; i < steps; i++) {
    const square = tf.matMul(x, x, false, true);
    const polynomial = tf.add(tf.mul(square, -4.775), tf.matMul(tf.mul(square, 2.0315), square)) as tf.Tensor2D;
    x = tf.add(tf.mul(x, 3.4445), tf.matMul(polynomial, x));
  }
  return isTall ? tf.transpose(x) : x;
}
