import * as tf from "@tensorflow/tfjs-core";
import type { Hyper } from "../hyper.ts";
import type { Trace } from "../trace/trace.ts";
import {
  applyAdam,
  applyGradientDescent,
  applyMomentum,
  momentumOps,
  applyRmsProp,
  decayWeights,
  number,
  type Update,
} from "../trace/fused-updates.ts";

/** One variable of an update with its slots. */
export interface VariableUpdate extends Update {
  slots: tf.Variable[];
}

/** How an optimizer updates a variable: with TensorFlow's fused op in a compiled function, with tfjs' ops elsewhere. */
export interface UpdateRule {
  /** Names of the slots a variable has. */
  slots: readonly string[];
  fused(trace: Trace, steps: readonly VariableUpdate[], iteration: tf.Tensor): void;
  plain(steps: readonly VariableUpdate[], iteration: tf.Tensor): void;
}

/** Keras' SGD: `w -= rate * g`, or `v = momentum * v - rate * g; w += v` and Nesterov's `w += momentum * v - rate * g`. */
export function sgdRule(rate: Hyper, { momentum, nesterov }: { momentum: Hyper; nesterov: boolean }): UpdateRule {
  if (momentum.value === 0)
    return {
      slots: [],
      fused: (trace, steps) => {
        for (const step of steps) applyGradientDescent(trace, step, trace.ref(rate.read()));
      },
      plain: (steps) => {
        for (const { variable, gradient } of steps) variable.assign(tf.sub(variable, tf.mul(gradient, rate.read())));
      },
    };
  return {
    slots: ["momentum"],
    fused: (trace, steps) => {
      const numbers = { rate: trace.ref(rate.read()), momentum: trace.ref(momentum.read()), nesterov };
      for (const step of steps) applyMomentum(trace, momentumOps.keras, step, step.slots[0] as tf.Variable, numbers);
    },
    plain: (steps) => {
      for (const { variable, gradient, slots } of steps) {
        const [velocity] = slots as [tf.Variable];
        const change = tf.mul(gradient, rate.read());
        const next = tf.sub(tf.mul(velocity, momentum.read()), change);
        velocity.assign(next);
        variable.assign(tf.add(variable, nesterov ? tf.sub(tf.mul(next, momentum.read()), change) : next));
      }
    },
  };
}

/** Hyperparameters of Adam. */
export interface AdamNumbers {
  beta1: number;
  beta2: number;
  epsilon: number;
  /**
   * Decoupled decay per step, as a multiple of the learning rate (Loshchilov and Hutter 2019,
   * https://arxiv.org/abs/1711.05101).
   */
  weightDecay?: Hyper;
  decays: (variable: tf.Variable) => boolean;
}

/**
 * Adam as in Keras (Kingma and Ba 2014, https://arxiv.org/abs/1412.6980, the last form of section 2): epsilon is
 * outside of the bias correction.
 */
export function adamRule(rate: Hyper, { beta1, beta2, epsilon, weightDecay, decays }: AdamNumbers): UpdateRule {
  const powers = (iteration: tf.Tensor) => {
    const step = tf.add(iteration, 1);
    return [tf.pow(beta1, step), tf.pow(beta2, step)] as const;
  };
  return {
    slots: ["m", "v"],
    fused: (trace, steps, iteration) => {
      const [power1, power2] = powers(iteration).map((power) => trace.ref(power));
      if (power1 === undefined || power2 === undefined) return;
      const numbers = {
        power1,
        power2,
        rate: trace.ref(rate.read()),
        beta1: number(trace, beta1),
        beta2: number(trace, beta2),
        epsilon: number(trace, epsilon),
      };
      const decay = weightDecay === undefined ? undefined : tf.mul(rate.read(), weightDecay.read());
      for (const step of steps) {
        if (decay !== undefined && decays(step.variable)) decayWeights(trace, step.variable, decay);
        applyAdam(trace, step, step.slots as [tf.Variable, tf.Variable], numbers);
      }
    },
    plain: (steps, iteration) => {
      const [power1, power2] = powers(iteration);
      const scale = tf.div(tf.mul(rate.read(), tf.sqrt(tf.sub(1, power2))), tf.sub(1, power1));
      for (const { variable, gradient, slots } of steps) {
        const [m, v] = slots as [tf.Variable, tf.Variable];
        m.assign(tf.add(m, tf.mul(tf.sub(gradient, m), 1 - beta1)));
        v.assign(tf.add(v, tf.mul(tf.sub(tf.square(gradient), v), 1 - beta2)));
        const start =
          weightDecay !== undefined && decays(variable)
            ? tf.sub(variable, tf.mul(variable, tf.mul(rate.read(), weightDecay.read())))
            : variable;
        variable.assign(tf.sub(start, tf.div(tf.mul(m, scale), tf.add(tf.sqrt(v), epsilon))));
      }
    },
  };
}

/**
 * RMSprop as in Keras: epsilon is under the root (Hinton 2012,
 * https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf).
 */
export function rmspropRule(
  rate: Hyper,
  { rho, momentum, epsilon, centered }: { rho: number; momentum: Hyper; epsilon: number; centered: boolean },
): UpdateRule {
  return {
    slots: ["rms", "momentum", ...(centered ? ["mg"] : [])],
    fused: (trace, steps) => {
      const numbers = {
        rate: trace.ref(rate.read()),
        rho: number(trace, rho),
        momentum: trace.ref(momentum.read()),
        epsilon: number(trace, epsilon),
      };
      for (const step of steps) {
        const [meanSquare, moment, meanGradient] = step.slots as [tf.Variable, tf.Variable, tf.Variable?];
        applyRmsProp(trace, step, { meanSquare, moment, ...(meanGradient !== undefined && { meanGradient }) }, numbers);
      }
    },
    plain: (steps) => {
      for (const { variable, gradient, slots } of steps) {
        const [meanSquare, moment, meanGradient] = slots as [tf.Variable, tf.Variable, tf.Variable?];
        meanSquare.assign(tf.add(tf.mul(meanSquare, rho), tf.mul(tf.square(gradient), 1 - rho)));
        meanGradient?.assign(tf.add(tf.mul(meanGradient, rho), tf.mul(gradient, 1 - rho)));
        const spread = meanGradient === undefined ? meanSquare : tf.sub(meanSquare, tf.square(meanGradient));
        const change = tf.div(tf.mul(gradient, rate.read()), tf.sqrt(tf.add(spread, epsilon)));
        moment.assign(tf.add(tf.mul(moment, momentum.read()), change));
        variable.assign(tf.sub(variable, moment));
      }
    },
  };
}
