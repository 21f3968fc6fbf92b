import * as tf from "@tensorflow/tfjs-core";
import { attr } from "../ir/attrs.ts";
import { DT } from "../values/dtypes.ts";
import type { Patches } from "../tfjs/patches.ts";
import type { Trace } from "../trace/trace.ts";

/** Steps without an overflow after which the scale doubles, as in Micikevicius et al. 2018, https://arxiv.org/abs/1710.03740. */
const PATIENCE = 2000;

/**
 * What float16 training multiplies the loss by, so that small gradients do not vanish: halved when gradients overflow
 * (that step changes no variable), doubled when they have not for a while. Lives in the graph, as variables do.
 */
export class LossScale {
  readonly scale = tf.tidy(() => tf.variable(tf.scalar(2 ** 15), false));
  readonly good = tf.tidy(() => tf.variable(tf.scalar(0), false));

  dispose(): void {
    this.scale.dispose();
    this.good.dispose();
  }
}

/** While a function is traced: optimizers see unscaled gradients of the scaled loss, and assign nothing when those overflow. */
export function patchLossScale(patches: Patches, trace: Trace, { scale, good }: LossScale): void {
  patches.wrap(
    tf.Optimizer.prototype as { computeGradients: unknown },
    "computeGradients",
    (compute) =>
      function (this: unknown, loss: () => tf.Scalar, variables?: tf.Variable[]) {
        const scaled = compute.call(this, () => tf.mul(loss(), scale), variables) as Gradients;
        return tf.tidy(() => {
          const grads: tf.NamedTensorMap = {};
          for (const [name, gradient] of Object.entries(scaled.grads))
            if (gradient !== null) grads[name] = tf.div(gradient, scale);
          const finite = tf.stack(Object.values(grads).map((gradient) => tf.all(tf.isFinite(gradient))));
          const all = tf.all(finite);
          const value = tf.div(scaled.value, scale);
          adapt(trace, all, scale, good);
          trace.finite = trace.ref(all);
          return { value, grads };
        });
      },
  );
  patches.wrap(
    tf.Optimizer.prototype as { minimize: unknown },
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
}

interface Gradients {
  value: tf.Scalar;
  grads: tf.NamedTensorMap;
}

/** `value` where the gradients are finite, and the variable's own value where they are not. */
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
