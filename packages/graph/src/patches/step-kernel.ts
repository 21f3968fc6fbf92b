import * as tf from "@tensorflow/tfjs-core";
import type { TracePatch } from "./trace-patch.ts";

interface StepArguments {
  inputs: { x: tf.Tensor };
  attrs: { alpha: number };
}

/**
 * What: the kernel of the step function (in the gradient of every ReLU) makes no tensor of ones in JavaScript; its values are
 * those of tfjs' kernel.
 * Why: that tensor is as large as the activation, and made anew for every ReLU of a trace.
 * Undone: when the trace ends.
 */
export const stepKernelPatch: TracePatch = {
  targets: ["kernel Step"],
  apply(patches) {
    const kernel = tf.getKernel("Step", "tensorflow") as unknown as { kernelFunc: (args: StepArguments) => tf.Tensor };
    patches.wrap(kernel, "kernelFunc", (original) => (args: StepArguments) => {
      const { x } = args.inputs;
      if (args.attrs.alpha !== 0) return original(args);
      return tf.tidy(() => tf.where(tf.isNaN(x), x, tf.cast(tf.greater(x, 0), x.dtype)));
    });
  },
};
