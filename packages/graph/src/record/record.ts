import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { eagerly, entryOf, tensorOf, withRecorder } from "../tfjs/backend-hook.ts";
import type { Backend } from "../tfjs/backend-hook.ts";
import { fromTfjs } from "../values/dtypes.ts";
import { GraphError } from "../graph-error.ts";
import { ifFinite, patchLossScale } from "./loss-scale.ts";
import type { LossScale } from "./loss-scale.ts";
import { patchOptimizers } from "./patch-optimizers.ts";
import { Patches } from "../tfjs/patches.ts";
import { patchRandom } from "./patch-random.ts";
import { replay, uniformValue } from "../trace/constant-values.ts";
import { patchStep } from "./patch-step-kernel.ts";
import { Trace } from "../trace/trace.ts";
import { assign } from "../trace/traced-variable.ts";

/** How a function is recorded. */
export interface RecordOptions {
  /** The seed of the random numbers of all its runs. */
  seed: number;
  /** The number of the run, on which random numbers depend too. */
  counter: () => number;
  /** Only what eager tfjs computes, in its order: equal bits before speed. */
  exact: boolean;
  /**
   * How optimizers update: by TensorFlow's fused ops, by these while it is watched whether a gradient's square overflows,
   * or by their own code.
   */
  updates: "fused" | "watched" | "own";
  /** In float16: what the loss is scaled by. */
  lossScale?: LossScale;
}

let active: Trace | undefined;

/** The trace that is being made, for ops that are more than tfjs' own. */
export function activeTrace(): Trace | undefined {
  return active;
}

/**
 * Runs `body` once with every op recorded instead of computed. Variables it assigns to keep their values; variables it
 * makes (an optimizer's slots) start with the values they were made with.
 */
export function record<T>(
  backend: Backend,
  options: RecordOptions,
  body: (trace: Trace) => T,
): { trace: Trace; result: T } {
  const trace = new Trace(backend, options);
  const patches = new Patches();
  const engine = tf.engine();
  const made: tf.Variable[] = [];
  let done = false;
  active = trace;
  patches.wrap(
    engine,
    "runKernel",
    (runKernel) =>
      function (this: unknown, kernel: string, ...rest: unknown[]) {
        trace.kernels.push(kernel);
        try {
          const result = runKernel.call(this, kernel, ...rest);
          if (kernel === "Step") noteStep(trace, rest, result as tf.Tensor);
          return result;
        } finally {
          trace.kernels.pop();
        }
      },
  );
  patches.wrap(
    engine,
    "makeVariable",
    (makeVariable) =>
      function (this: unknown, initial: tf.Tensor, trainable?: boolean, name?: string, dtype?: tf.DataType) {
        const cast = dtype === undefined || dtype === initial.dtype ? initial : tf.cast(initial, dtype);
        const value = initialValue(trace, cast);
        const variable = makeVariable.call(this, value, trainable, name, dtype) as tf.Variable;
        value.dispose();
        trace.adopt(variable);
        made.push(variable);
        return variable;
      },
  );
  patches.wrap(
    tf.Variable.prototype,
    "assign",
    () =>
      function (this: tf.Variable, value: tf.Tensor) {
        trace.variable(this).hold();
        assign.call(this, ifFinite(trace, this, value));
      },
  );
  patches.wrap(
    tfl.layers.Layer.prototype as unknown as { apply: Apply },
    "apply",
    (apply) =>
      function (this: { name: string }, ...args: unknown[]) {
        trace.scopes.push(this.name);
        try {
          return apply.apply(this, args);
        } finally {
          trace.scopes.pop();
        }
      },
  );
  patches.wrap(
    tfl.RNN.prototype as unknown as { call: Apply },
    "call",
    (call) =>
      function (this: tfl.RNN, ...args: unknown[]) {
        if (this.stateful)
          throw new GraphError(
            `The layer ${this.name} is stateful: tfjs keeps its state in JavaScript from call to call, and a graph would always start from the state of its first. Make it stateless, or run it eagerly.`,
          );
        return call.apply(this, args);
      },
  );
  // tfjs' own check in tests counts a fused kernel's parts, kept for the gradient, as a leak.
  patches.wrap(engine as unknown as { shouldCheckForMemLeaks(): boolean }, "shouldCheckForMemLeaks", () => () => false);
  patchStep(patches);
  patchOptimizers(patches, trace);
  patchRandom(patches, trace);
  if (options.lossScale !== undefined) patchLossScale(patches, trace, options.lossScale);
  try {
    const result = withRecorder(trace, () => {
      engine.startScope("compile");
      try {
        return body(trace);
      } finally {
        engine.endScope();
        trace.finishing = true;
      }
    });
    done = true;
    return { trace, result };
  } finally {
    patches.undo();
    active = undefined;
    withRecorder(trace, () => {
      for (const variable of trace.variables.values()) variable.restore(done);
    });
    if (!done) for (const variable of made) variable.dispose();
    for (const end of trace.ended.toReversed()) end(done);
    trace.inference.dispose();
  }
}

type Apply = (...args: unknown[]) => unknown;

function noteStep(trace: Trace, [inputs, attrs]: unknown[], result: tf.Tensor): void {
  const { x } = inputs as { x: tf.Tensor };
  if (!((attrs as { alpha?: number }).alpha ?? 0)) trace.steps.set(trace.ref(result).node, trace.ref(x));
}

/** The value a variable made within a trace starts with, as a tensor outside of it. */
function initialValue(trace: Trace, tensor: tf.Tensor): tf.Tensor {
  const entry = entryOf(trace.backend, tensor.dataId);
  if (entry?.ref === undefined) return eagerly(() => tensor.clone());
  const uniform = uniformValue(entry.ref);
  if (uniform !== undefined) {
    const { shape } = tensor;
    const dtype = fromTfjs(tensor.dtype);
    return tensorOf(trace.backend, { shape, dtype, values: null, id: -1, refCount: 1, fill: uniform }, tensor.dtype);
  }
  const value = replay(trace, entry.ref, { variables: true });
  if (value === undefined)
    throw new GraphError(
      "A variable is made inside a compiled function from one of its inputs or from random numbers; make it outside, and assign to it inside.",
    );
  return value;
}
