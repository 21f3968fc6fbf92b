import * as tf from "@tensorflow/tfjs-core";
import { drawClasses } from "../trace/random-nodes.ts";
import type { Trace } from "../trace/trace.ts";
import type { TracePatch } from "./trace-patch.ts";

/**
 * What: the trace knows which kernel runs; the result of `Step` is noted; `Multinomial` becomes a draw in the graph.
 * Why: errors name the op the user called; ReLU's gradient is a product with a step function, which becomes one op; tfjs draws
 * the seed of `tf.multinomial` in JavaScript, where it would be the same at every run.
 * Undone: when the trace ends.
 */
export const kernelPatch: TracePatch = {
  targets: ["tf.engine().runKernel"],
  apply(patches, trace) {
    patches.wrap(
      tf.engine(),
      "runKernel",
      (runKernel) =>
        function (this: unknown, kernel: string, ...rest: unknown[]) {
          if (kernel === "Multinomial") return drawMultinomial(trace, rest as never);
          trace.kernelCount++;
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
  },
};

/**
 * What: the ops of a backward pass have the user's line that asked for the gradient.
 * Why: no other code of the user's runs meanwhile, except gradients of `tf.customGrad`; each search for the line walks the stack.
 * Undone: when the trace ends.
 */
export const backwardPatch: TracePatch = {
  targets: ["tf.engine().tidy"],
  apply(patches, trace) {
    patches.wrap(
      tf.engine(),
      "tidy",
      (tidy) =>
        function (this: unknown, ...args: unknown[]) {
          const run = () => tidy.apply(this, args);
          return args[0] === "backward" ? trace.lines.hold(run) : run();
        },
    );
  },
};

function noteStep(trace: Trace, [inputs, attrs]: unknown[], result: tf.Tensor): void {
  const { x } = inputs as { x: tf.Tensor };
  if (!((attrs as { alpha?: number }).alpha ?? 0)) trace.peephole.steps.set(trace.ref(result).node, trace.ref(x));
}

function drawMultinomial(
  trace: Trace,
  [{ logits }, { numSamples, seed, normalized }]: [
    { logits: tf.Tensor },
    { numSamples: number; seed: number; normalized: boolean },
  ],
): tf.Tensor {
  return tf.tidy(() =>
    drawClasses(trace, normalized ? tf.log(logits) : logits, tf.scalar(numSamples, "int32"), Math.trunc(seed)),
  );
}
