import * as tf from "@tensorflow/tfjs-core";
import { attr } from "../ir/attrs.ts";
import { DT } from "../values/dtypes.ts";
import type { GraphNode, Ref } from "../ir/graph-node.ts";
import type { Rewrite } from "../ir/rewrite.ts";
import type { Trace } from "./trace.ts";

/** Optimizers apply this rewrite while they are recorded. */
export const fusedUpdates: Rewrite = {
  name: "fused-updates",
  description: "an optimizer's update of a variable is one op",
};

const T = { T: attr.type(DT.float32) };

/** A variable and its gradient. */
export interface Update {
  variable: tf.Variable;
  gradient: tf.Tensor;
}

/** A constant number, as a node. */
export function number(trace: Trace, value: number): Ref {
  return trace.constant(DT.float32, [], Float32Array.of(value));
}

/** `w -= rate * g` */
export function applyGradientDescent(trace: Trace, { variable, gradient }: Update, rate: Ref): void {
  write(trace, "ResourceApplyGradientDescent", T, variable, [rate, trace.ref(gradient)]);
}

/** The two ways to gather gradients, by the ops that do it. */
export const momentumOps = {
  /** `a = momentum * a + g; w -= rate * a`, or Nesterov's `w -= rate * (g + momentum * a)` */
  plain: "ResourceApplyMomentum",
  /** Keras': `a = momentum * a - rate * g; w += a`, or Nesterov's `w += momentum * a - rate * g` */
  keras: "ResourceApplyKerasMomentum",
} as const;

/** Gathers the gradients in `slot`, and moves the weight by them. */
export function applyMomentum(
  trace: Trace,
  op: (typeof momentumOps)[keyof typeof momentumOps],
  { variable, gradient }: Update,
  slot: tf.Variable,
  { rate, momentum, nesterov }: { rate: Ref; momentum: Ref; nesterov: boolean },
): void {
  const attrs = { ...T, use_nesterov: attr.bool(nesterov) };
  write(trace, op, attrs, variable, [rate, trace.ref(gradient), momentum], [slot]);
}

/**
 * Adam with its two moments, and with the largest second moment for amsgrad; `epsilon` is the one outside of the bias correction
 * (Kingma and Ba 2014, "epsilon hat").
 */
export function applyAdam(
  trace: Trace,
  { variable, gradient }: Update,
  moments: readonly [tf.Variable, tf.Variable, tf.Variable?],
  numbers: { power1: Ref; power2: Ref; rate: Ref; beta1: Ref; beta2: Ref; epsilon: Ref },
): void {
  const { power1, power2, rate, beta1, beta2, epsilon } = numbers;
  const moved = trace.ref(gradient);
  trace.watchSquare(moved);
  const inputs = [power1, power2, rate, beta1, beta2, epsilon, moved];
  const op = moments.length === 3 ? "ResourceApplyAdamWithAmsgrad" : "ResourceApplyAdam";
  write(trace, op, T, variable, inputs, moments as readonly tf.Variable[]);
}

/**
 * `s = rho * s + (1 - rho) * g^2; m = momentum * m + rate * g / sqrt(s + epsilon); w -= m`; centered if the mean of g
 * is given
 */
export function applyRmsProp(
  trace: Trace,
  { variable, gradient }: Update,
  slots: { meanSquare: tf.Variable; moment: tf.Variable; meanGradient?: tf.Variable },
  { rate, rho, momentum, epsilon }: { rate: Ref; rho: Ref; momentum: Ref; epsilon: Ref },
): void {
  const moved = trace.ref(gradient);
  trace.watchSquare(moved);
  const { meanSquare, moment, meanGradient } = slots;
  const op = meanGradient === undefined ? "ResourceApplyRMSProp" : "ResourceApplyCenteredRMSProp";
  const others = [...(meanGradient === undefined ? [] : [meanGradient]), meanSquare, moment];
  write(trace, op, T, variable, [rate, rho, momentum, epsilon, moved], others);
}

/** `w -= part * w` */
export function decayWeights(trace: Trace, variable: tf.Variable, part: tf.Tensor): void {
  const change = trace.ref(tf.mul(variable, part));
  write(trace, "AssignSubVariableOp", { dtype: attr.type(DT.float32) }, variable, [change]);
}

/** Writes a variable, and the slots of its update, with one op. */
function write(
  trace: Trace,
  op: string,
  attrs: GraphNode["attrs"],
  variable: tf.Variable,
  inputs: readonly Ref[],
  slots: readonly tf.Variable[] = [],
): void {
  trace.rewrites.note(fusedUpdates, op);
  const others = slots.map((slot) => trace.variable(slot));
  trace.variable(variable).write(op, attrs, inputs, others);
}

/** Makes a slot: a variable of the same shape, filled with zeros, with one number or with given values. */
export function makeSlot(like: tf.Variable, name: string, value: number | tf.Tensor = 0): tf.Variable {
  return tf.tidy(() => {
    const filled = typeof value === "number" && (value === 0 ? tf.zerosLike(like) : tf.fill(like.shape, value));
    return tf.variable(filled || (value as tf.Tensor), false, uniqueName(name));
  });
}

/** tfjs refuses a variable name that exists already, and two optimizers may train one model. */
function uniqueName(name: string): string {
  const taken = tf.engine().registeredVariables;
  let unique = name;
  for (let n = 1; taken[unique] !== undefined; n++) unique = `${name}_${n}`;
  return unique;
}
