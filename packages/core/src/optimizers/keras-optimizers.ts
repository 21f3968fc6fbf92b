import * as tf from "@tensorflow/tfjs-core";
import { defineOptimizer } from "./define-optimizer.ts";

/** `old` moved towards `value` by the share `1 - beta`. */
export function moved(old: tf.Tensor, value: tf.Tensor, beta: number): tf.Tensor {
  return tf.add(old, tf.mul(tf.sub(value, old), 1 - beta));
}

/** Adamax with Keras' defaults (Kingma and Ba 2014, section 7.1, https://arxiv.org/abs/1412.6980). */
export const adamax = defineOptimizer("Adamax", {
  options: { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
  slots: { m: 0, u: 0 },
  update: ({ weight, gradient, rate, step, slots }, { beta1, beta2, epsilon }) => {
    const m = moved(slots.m, gradient, beta1);
    const u = tf.maximum(tf.mul(slots.u, beta2), tf.abs(gradient));
    const scale = tf.div(rate, tf.sub(1, tf.pow(beta1, step)));
    return { weight: tf.sub(weight, tf.div(tf.mul(m, scale), tf.add(u, epsilon))), m, u };
  },
});

/** Nesterov's factor on the momentum at a step. */
const momentumAt = (step: tf.Tensor, beta1: number) => tf.mul(beta1, tf.sub(1, tf.mul(0.5, tf.pow(0.96, step))));

/** Adam with Nesterov's momentum, with Keras' defaults (Dozat 2016, http://cs229.stanford.edu/proj2015/054_report.pdf). */
export const nadam = defineOptimizer("Nadam", {
  options: { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
  slots: { m: 0, v: 0 },
  /** The product of the momentum's factors so far. */
  shared: { product: 1 },
  advance: ({ product }, step, { beta1 }) => ({ product: tf.mul(product, momentumAt(step, beta1)) }),
  update: ({ weight, gradient, rate, step, slots, shared: { product } }, { beta1, beta2, epsilon }) => {
    const m = moved(slots.m, gradient, beta1);
    const v = moved(slots.v, tf.square(gradient), beta2);
    const [now, next] = [momentumAt(step, beta1), momentumAt(tf.add(step, 1), beta1)];
    const ofMean = tf.div(next, tf.sub(1, tf.mul(product, next)));
    const ofGradient = tf.div(tf.sub(1, now), tf.sub(1, product));
    const mean = tf.add(tf.mul(m, ofMean), tf.mul(gradient, ofGradient));
    const root = tf.sqrt(tf.div(v, tf.sub(1, tf.pow(beta2, step))));
    return { weight: tf.sub(weight, tf.div(tf.mul(mean, rate), tf.add(root, epsilon))), m, v };
  },
});

/** Adagrad with Keras' defaults (Duchi et al. 2011, https://jmlr.org/papers/v12/duchi11a.html). */
export const adagrad = defineOptimizer("Adagrad", {
  options: { learningRate: 0.001, initialAccumulator: 0.1, epsilon: 1e-7 },
  slots: (_, { initialAccumulator }) => ({ sum: initialAccumulator }),
  update: ({ weight, gradient, rate, slots }, { epsilon }) => {
    const sum = tf.add(slots.sum!, tf.square(gradient));
    return { weight: tf.sub(weight, tf.div(tf.mul(gradient, rate), tf.sqrt(tf.add(sum, epsilon)))), sum };
  },
});

/** Adadelta with Keras' defaults (Zeiler 2012, https://arxiv.org/abs/1212.5701). */
export const adadelta = defineOptimizer("Adadelta", {
  options: { learningRate: 0.001, rho: 0.95, epsilon: 1e-7 },
  slots: { gradients: 0, changes: 0 },
  update: ({ weight, gradient, rate, slots }, { rho, epsilon }) => {
    const gradients = moved(slots.gradients, tf.square(gradient), rho);
    const change = tf.mul(gradient, tf.sqrt(tf.div(tf.add(slots.changes, epsilon), tf.add(gradients, epsilon))));
    const changes = moved(slots.changes, tf.square(change), rho);
    return { weight: tf.sub(weight, tf.mul(change, rate)), gradients, changes };
  },
});

/** Lion with Keras' defaults: the sign of a mean of gradients (Chen et al. 2023, https://arxiv.org/abs/2302.06675). */
export const lion = defineOptimizer("Lion", {
  options: { learningRate: 0.001, beta1: 0.9, beta2: 0.99 },
  slots: { m: 0 },
  update: ({ weight, gradient, rate, slots: { m } }, { beta1, beta2 }) => ({
    weight: tf.sub(weight, tf.mul(tf.sign(tf.add(tf.mul(m, beta1), tf.mul(gradient, 1 - beta1))), rate)),
    m: tf.add(tf.mul(m, beta2), tf.mul(gradient, 1 - beta2)),
  }),
});

/** FTRL-proximal with Keras' defaults (McMahan et al. 2013, https://research.google.com/pubs/archive/41159.pdf). */
export const ftrl = defineOptimizer("Ftrl", {
  options: {
    learningRate: 0.001,
    learningRatePower: -0.5,
    initialAccumulator: 0.1,
    /** Strength of the penalty on absolute values: it sets small weights to 0. */
    l1: 0,
    l2: 0,
    /** An L2 penalty on the size of the gradient's step. */
    l2Shrinkage: 0,
    beta: 0,
  },
  slots: (_, { initialAccumulator }) => ({ sum: initialAccumulator, linear: 0 }),
  update: ({ weight, gradient, rate, slots }, { learningRatePower, l1, l2, l2Shrinkage, beta }) => {
    const sum = tf.add(slots.sum!, tf.square(gradient));
    const [before, after] = [tf.pow(slots.sum!, -learningRatePower), tf.pow(sum, -learningRatePower)];
    const shrunk = l2Shrinkage === 0 ? gradient : tf.add(gradient, tf.mul(weight, 2 * l2Shrinkage));
    const linear = tf.add(slots.linear!, tf.sub(shrunk, tf.mul(tf.div(tf.sub(after, before), rate), weight)));
    const l2Now = tf.add(l2, tf.div(beta, tf.mul(2, rate)));
    const quadratic = tf.add(tf.div(after, rate), tf.mul(2, l2Now));
    return { weight: tf.div(tf.sub(tf.clipByValue(linear, -l1, l1), linear), quadratic), sum, linear };
  },
});

/** Adam whose step has the length of the weight, with Keras' defaults (You et al. 2019, https://arxiv.org/abs/1904.00962). */
export const lamb = defineOptimizer("Lamb", {
  options: { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
  slots: { m: 0, v: 0 },
  update: ({ weight, gradient, rate, step, slots }, { beta1, beta2, epsilon }) => {
    const m = moved(slots.m, gradient, beta1);
    const v = moved(slots.v, tf.square(gradient), beta2);
    const root = tf.sqrt(tf.div(v, tf.sub(1, tf.pow(beta2, step))));
    const change = tf.div(tf.div(m, tf.sub(1, tf.pow(beta1, step))), tf.add(root, epsilon));
    const [ofWeight, ofChange] = [norm(weight), norm(change)];
    const isUsual = tf.logicalAnd(tf.greater(ofWeight, 0), tf.greater(ofChange, 0));
    const ratio = tf.where(isUsual, tf.divNoNan(ofWeight, ofChange), tf.onesLike(ofWeight));
    return { weight: tf.sub(weight, tf.mul(change, tf.mul(ratio, rate))), m, v };
  },
});

/** The Euclidean norm of all values. `[…] -> []` */
export function norm(x: tf.Tensor): tf.Scalar {
  return tf.sqrt(tf.sum(tf.square(x)));
}
