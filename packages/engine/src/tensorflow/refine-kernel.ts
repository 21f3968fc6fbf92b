import * as tf from "@tensorflow/tfjs-core";

const refined = new WeakSet<tf.KernelConfig>();

/** Puts a kernel of ours in place of one of tfjs-node's, which it may call for the cases that the stock kernel gets right; once. */
export function refineKernel(name: string, refine: (stock: tf.KernelFunc) => tf.KernelFunc): void {
  const stock = tf.getKernel(name, "tensorflow");
  if (stock === undefined || refined.has(stock)) return;
  const kernel: tf.KernelConfig = { ...stock, kernelFunc: refine(stock.kernelFunc) };
  refined.add(kernel);
  tf.unregisterKernel(name, "tensorflow");
  tf.registerKernel(kernel);
}
