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
  /** Factor on the learning rate. */
  rateFactor: number;
  /** Own decay of the variable; undefined for the optimizer's. */
  weightDecay: number | undefined;
}

/** The learning rate of each variable; variables with the same factor share a tensor. */
function ratesOf(rate: Hyper): (step: VariableUpdate) => tf.Tensor {
  const base = rate.read();
  const made = new Map<number, tf.Tensor>([[1, base]]);
  return ({ rateFactor }) => {
    const known = made.get(rateFactor) ?? tf.mul(base, rateFactor);
    made.set(rateFactor, known);
    return known;
  };
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
        const rateOf = ratesOf(rate);
        for (const step of steps) applyGradientDescent(trace, step, trace.ref(rateOf(step)));
      },
      plain: (steps) => {
        const rateOf = ratesOf(rate);
        for (const step of steps) step.variable.assign(tf.sub(step.variable, tf.mul(step.gradient, rateOf(step))));
      },
    };
  return {
    slots: ["momentum"],
    fused: (trace, steps) => {
      const rateOf = ratesOf(rate);
      const numbers = { momentum: trace.ref(momentum.read()), nesterov };
      for (const step of steps) {
        const own = { ...numbers, rate: trace.ref(rateOf(step)) };
        applyMomentum(trace, momentumOps.keras, step, step.slots[0] as tf.Variable, own);
      }
    },
    plain: (steps) => {
      const rateOf = ratesOf(rate);
      for (const step of steps) {
        const { variable, gradient, slots } = step;
        const [velocity] = slots as [tf.Variable];
        const change = tf.mul(gradient, rateOf(step));
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
  /** Divides by the largest mean of squared gradients so far (Reddi et al. 2018, https://arxiv.org/abs/1904.09237). */
  amsgrad: boolean;
}

/**
 * Adam as in Keras (Kingma and Ba 2014, https://arxiv.org/abs/1412.6980, the last form of section 2): epsilon is
 * outside of the bias correction.
 */
export function adamRule(rate: Hyper, numbers: AdamNumbers): UpdateRule {
  const { beta1, beta2, epsilon, amsgrad } = numbers;
  const powers = (iteration: tf.Tensor) => {
    const step = tf.add(iteration, 1);
    return [tf.pow(beta1, step), tf.pow(beta2, step)] as const;
  };
  return {
    slots: ["m", "v", ...(amsgrad ? ["vhat"] : [])],
    fused: (trace, steps, iteration) => {
      const [power1, power2] = powers(iteration).map((power) => trace.ref(power));
      if (power1 === undefined || power2 === undefined) return;
      const rateOf = ratesOf(rate);
      const decayOf = decaysOf(numbers);
      const constants = {
        power1,
        power2,
        beta1: number(trace, beta1),
        beta2: number(trace, beta2),
        epsilon: number(trace, epsilon),
      };
      for (const step of steps) {
        const decay = decayOf(step);
        if (decay !== undefined) decayWeights(trace, step.variable, tf.mul(rateOf(step), decay));
        applyAdam(trace, step, step.slots as [tf.Variable, tf.Variable], {
          ...constants,
          rate: trace.ref(rateOf(step)),
        });
      }
    },
    plain: (steps, iteration) => {
      const [power1, power2] = powers(iteration);
      const rateOf = ratesOf(rate);
      const decayOf = decaysOf(numbers);
      const correction = tf.div(tf.sqrt(tf.sub(1, power2)), tf.sub(1, power1));
      for (const step of steps) {
        const { variable, gradient, slots } = step;
        const [m, v, largest] = slots as [tf.Variable, tf.Variable, tf.Variable?];
        m.assign(tf.add(m, tf.mul(tf.sub(gradient, m), 1 - beta1)));
        v.assign(tf.add(v, tf.mul(tf.sub(tf.square(gradient), v), 1 - beta2)));
        largest?.assign(tf.maximum(largest, v));
        const decay = decayOf(step);
        const start = decay === undefined ? variable : tf.sub(variable, tf.mul(variable, tf.mul(rateOf(step), decay)));
        const change = tf.div(tf.mul(m, tf.mul(rateOf(step), correction)), tf.add(tf.sqrt(largest ?? v), epsilon));
        variable.assign(tf.sub(start, change));
      }
    },
  };
}

/** The decay of each variable; undefined for no decay. */
function decaysOf({ weightDecay, decays }: AdamNumbers): (step: VariableUpdate) => tf.Tensor | number | undefined {
  const shared = weightDecay?.read();
  return ({ variable, weightDecay: own }) => {
    if (own !== undefined) return own === 0 ? undefined : own;
    return shared !== undefined && decays(variable) ? shared : undefined;
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
      const rateOf = ratesOf(rate);
      const constants = {
        rho: number(trace, rho),
        momentum: trace.ref(momentum.read()),
        epsilon: number(trace, epsilon),
      };
      for (const step of steps) {
        const [meanSquare, moment, meanGradient] = step.slots as [tf.Variable, tf.Variable, tf.Variable?];
        const numbers = { ...constants, rate: trace.ref(rateOf(step)) };
        applyRmsProp(trace, step, { meanSquare, moment, ...(meanGradient !== undefined && { meanGradient }) }, numbers);
      }
    },
    plain: (steps) => {
      const rateOf = ratesOf(rate);
      for (const step of steps) {
        const { variable, gradient, slots } = step;
        const [meanSquare, moment, meanGradient] = slots as [tf.Variable, tf.Variable, tf.Variable?];
        meanSquare.assign(tf.add(tf.mul(meanSquare, rho), tf.mul(tf.square(gradient), 1 - rho)));
        meanGradient?.assign(tf.add(tf.mul(meanGradient, rho), tf.mul(gradient, 1 - rho)));
        const spread = meanGradient === undefined ? meanSquare : tf.sub(meanSquare, tf.square(meanGradient));
        const change = tf.div(tf.mul(gradient, rateOf(step)), tf.sqrt(tf.add(spread, epsilon)));
        moment.assign(tf.add(tf.mul(moment, momentum.read()), change));
        variable.assign(tf.sub(variable, moment));
      }
    },
  };
}
