import * as tf from "@tensorflow/tfjs-core";

/** Registers tfjs' gradients where nothing has: tfjs-core alone knows none, and tfjs-layers brings all of them when it loads. */
export async function registerGradients(): Promise<void> {
  if (tf.getGradient("Sum") === undefined) await import("@tensorflow/tfjs-layers");
}
