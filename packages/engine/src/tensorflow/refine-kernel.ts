import * as tf from "@tensorflow/tfjs-core";

const refined = new WeakSet<tf.KernelConfig>();

/** Replaces a kernel of tfjs-node once. The new kernel may call the stock kernel for the cases that it gets right. */
export function refineKernel(name: string, refine: (stock: tf.KernelFunc) => tf.KernelFunc): void {
  const stock = tf.getKernel(name, "tensorflow");
  if (stock === undefined || refined.has(stock)) return;
  const kernel: tf.KernelConfig = { ...stock, kernelFunc: refine(stock.kernelFunc) };
  refined.add(kernel);
  tf.unregisterKernel(name, "tensorflow");
  tf.registerKernel(kernel);
}
