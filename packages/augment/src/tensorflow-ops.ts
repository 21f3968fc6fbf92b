import * as tf from "@tensorflow/tfjs-core";
import type { Sampling } from "./geometry/affine-options.ts";

/** Calls TensorFlow's ops by name if tfjs-node has no kernel for them. */

/** True if TensorFlow holds the tensors, so that its ops can be called by name. */
export function hasTensorflow(): boolean {
  return tf.getBackend() === "tensorflow";
}

/** TensorFlow's ImageProjectiveTransformV3, `[n, h, w, c] x [n, 8] -> [n, h, w, c]`. */
export function projectiveTransform(
  images: tf.Tensor4D,
  matrices: tf.Tensor2D,
  { fill, fillValue, interpolation }: Sampling,
): tf.Tensor4D {
  const { binding } = backend();
  const attributes = [
    { name: "dtype", type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    { name: "interpolation", type: binding.TF_ATTR_STRING, value: interpolation.toUpperCase() },
    { name: "fill_mode", type: binding.TF_ATTR_STRING, value: fill.toUpperCase() },
  ];
  const [, h, w] = images.shape;
  const inputs = [images, matrices, tf.tensor1d([h, w], "int32"), tf.scalar(fillValue)];
  return backend().executeSingleOutput("ImageProjectiveTransformV3", attributes, inputs) as tf.Tensor4D;
}

/** Counts the numbers 0 to `size - 1` in each row, `[n, m] -> [n, size]`. */
export function denseBincount(rows: tf.Tensor2D, size: number): tf.Tensor2D {
  const none = tf.tensor2d([], [0, 0]);
  if (!hasTensorflow()) return tf.denseBincount(rows, none, size) as tf.Tensor2D;
  const { binding } = backend();
  const attributes = [
    { name: "Tidx", type: binding.TF_ATTR_TYPE, value: binding.TF_INT32 },
    { name: "T", type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    { name: "binary_output", type: binding.TF_ATTR_BOOL, value: false },
  ];
  const inputs = [rows, tf.scalar(size, "int32"), none];
  return backend().executeSingleOutput("DenseBincount", attributes, inputs) as tf.Tensor2D;
}

/** TensorFlow's random numbers for a seed, `[2]`: uniform in [0, 1), or normal with mean 0 and deviation 1. */
export function statelessRandom(distribution: "Uniform" | "Normal", shape: number[], seed: tf.Tensor): tf.Tensor {
  const { binding } = backend();
  const attributes = [
    { name: "dtype", type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    { name: "T", type: binding.TF_ATTR_TYPE, value: binding.TF_INT32 },
    { name: "Tseed", type: binding.TF_ATTR_TYPE, value: binding.TF_INT32 },
  ];
  const inputs = [tf.tensor1d(shape, "int32"), seed];
  return backend().executeSingleOutput(`StatelessRandom${distribution}`, attributes, inputs);
}

interface NodeBackend {
  binding: Readonly<Record<"TF_ATTR_TYPE" | "TF_ATTR_STRING" | "TF_ATTR_BOOL" | "TF_FLOAT" | "TF_INT32", number>>;
  executeSingleOutput(op: string, attributes: readonly object[], inputs: readonly tf.Tensor[]): tf.Tensor;
}

function backend(): NodeBackend {
  return tf.backend() as unknown as NodeBackend;
}
