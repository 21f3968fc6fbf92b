import * as tf from "@tensorflow/tfjs-core";
import { activeWorker } from "../distributed/active-worker.ts";
import { allReduce } from "../distributed/all-reduce.ts";
import { attr } from "../ir/attrs.ts";
import { DT } from "../values/dtypes.ts";
import { PATIENCE } from "../trace/loss-scale.ts";
import type { LossScale } from "../trace/loss-scale.ts";
import type { Trace } from "../trace/trace.ts";
import type { TracePatch } from "./trace-patch.ts";

/**
 * What: in float16, optimizers take the gradients of the scaled loss, divided by the scale; where these overflow, variables
 * keep their values.
 * Why: gradients under 6e-8 are zero in float16 (Micikevicius et al. 2018).
 * Undone: when the trace ends.
 */
export const lossScalePatch: TracePatch = {
  targets: ["tf.Optimizer.prototype.computeGradients", "tf.Optimizer.prototype.minimize"],
  apply(patches, trace) {
    const { lossScale } = trace;
    if (lossScale === undefined) return;
    const prototype = tf.Optimizer.prototype as { computeGradients: unknown; minimize: unknown };
    patches.wrap(
      prototype,
      "computeGradients",
      (compute) =>
        function (this: unknown, loss: () => tf.Scalar, variables?: tf.Variable[]) {
          const scaled = compute.call(this, () => tf.mul(loss(), lossScale.scale), variables) as Gradients;
          return tf.tidy(() => unscaled(trace, scaled, lossScale));
        },
    );
    patches.wrap(
      prototype,
      "minimize",
      (minimize) =>
        function (this: unknown, ...args: unknown[]) {
          try {
            return minimize.apply(this, args);
          } finally {
            delete trace.finite;
          }
        },
    );
  },
};

/**
 * Divides the loss and the gradients by the scale, and updates the scale depending on whether all gradients are finite.
 */
function unscaled(trace: Trace, { value, grads }: Gradients, { scale, good }: LossScale): Gradients {
  const divided: tf.NamedTensorMap = {};
  for (const [name, gradient] of Object.entries(grads)) if (gradient !== null) divided[name] = tf.div(gradient, scale);
  const finite = tf.stack(Object.values(divided).map((gradient) => tf.all(tf.isFinite(gradient))));
  const all = everywhere(tf.all(finite));
  const loss = tf.div(value, scale) as tf.Scalar;
  adapt(trace, all, scale, good);
  trace.finite = trace.ref(all);
  return { value: loss, grads: divided };
}

/** Whether a condition holds in all workers: they skip a step together. */
function everywhere(holds: tf.Tensor): tf.Tensor {
  const [count] = allReduce([tf.cast(holds, "float32")], { exact: () => true });
  return tf.equal(count!, activeWorker()?.members.length ?? 1);
}

type Gradients = { value: tf.Scalar; grads: tf.NamedTensorMap };

/** `value` if all gradients are finite, else the variable's own value. */
export function ifFinite(trace: Trace, variable: tf.Variable, value: tf.Tensor): tf.Tensor {
  if (trace.finite === undefined) return value;
  const inputs = [trace.finite, trace.ref(value), trace.ref(variable)];
  return trace.tensor({ node: trace.add("SelectV2", { T: attr.type(DT.float32) }, inputs), index: 0 });
}

function adapt(trace: Trace, finite: tf.Tensor, scale: tf.Variable, good: tf.Variable): void {
  const choose = (yes: tf.Tensor, no: tf.Tensor) => {
    const inputs = [finite, yes, no].map((tensor) => trace.ref(tensor));
    return trace.tensor({ node: trace.add("SelectV2", { T: attr.type(DT.float32) }, inputs), index: 0 });
  };
  const count = tf.add(good, 1);
  const isLong = tf.cast(tf.greaterEqual(count, PATIENCE), "float32");
  scale.assign(choose(tf.mul(scale, tf.add(isLong, 1)), tf.maximum(tf.div(scale, 2), 1)));
  good.assign(choose(tf.mul(count, tf.sub(1, isLong)), tf.scalar(0)));
}
