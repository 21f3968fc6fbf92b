import * as tf from "@tensorflow/tfjs-core";
import type { Patches } from "../tfjs/patches.ts";

interface StepArguments {
  inputs: { x: tf.Tensor };
  attrs: { alpha: number };
}

/**
 * While a function is traced, the step function (in the gradient of every ReLU) makes no tensor of ones in JavaScript,
 * which is as large as the activation; its values are those of tfjs' kernel.
 */
export function patchStep(patches: Patches): void {
  const kernel = tf.getKernel("Step", "tensorflow") as unknown as { kernelFunc: (args: StepArguments) => tf.Tensor };
  patches.wrap(kernel, "kernelFunc", (original) => (args: StepArguments) => {
    const { x } = args.inputs;
    if (args.attrs.alpha !== 0) return original(args);
    return tf.tidy(() => tf.where(tf.isNaN(x), x, tf.cast(tf.greater(x, 0), x.dtype)));
  });
}
