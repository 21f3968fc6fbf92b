import * as tf from "@tensorflow/tfjs-core";

/** The part of tfjs-node's backend that runs a TensorFlow op. */
interface Backend {
  binding: Record<"TF_ATTR_BOOL" | "TF_ATTR_INT" | "TF_ATTR_STRING" | "TF_ATTR_TYPE" | "TF_FLOAT" | "TF_INT32", number>;
  executeSingleOutput(op: string, attributes: object[], inputs: tf.TensorInfo[]): tf.Tensor;
  executeMultipleOutputs(op: string, attributes: object[], inputs: tf.TensorInfo[], count: number): tf.Tensor[];
}

/** `[n] or [rows, n] -> [size] or [rows, size]`: the count of each number, or the sum of its weights. */
export const denseBincount: tf.KernelConfig = {
  kernelName: "DenseBincount",
  backendName: "tensorflow",
  kernelFunc: ({ inputs, attrs, backend }) => {
    const { x, weights } = inputs as Record<"x" | "weights", tf.Tensor>;
    const { size, binaryOutput } = attrs as unknown as tf.DenseBincountAttrs;
    const { binding, executeSingleOutput } = backend as unknown as Backend;
    const attributes = [
      { name: "Tidx", type: binding.TF_ATTR_TYPE, value: binding.TF_INT32 },
      { name: "T", type: binding.TF_ATTR_TYPE, value: weights.dtype === "int32" ? binding.TF_INT32 : binding.TF_FLOAT },
      { name: "binary_output", type: binding.TF_ATTR_BOOL, value: binaryOutput ?? false },
    ];
    return tf.tidy(() =>
      executeSingleOutput.call(backend, "DenseBincount", attributes, [x, tf.scalar(size, "int32"), weights]),
    );
  },
};

/** `[n, h, w, c] -> [n, oh, ow, c]` twice: the largest value of each window, and its index in the flattened image. */
export const maxPoolWithArgmax: tf.KernelConfig = {
  kernelName: "MaxPoolWithArgmax",
  backendName: "tensorflow",
  kernelFunc: ({ inputs, attrs, backend }) => {
    const x = inputs["x"] as tf.Tensor4D;
    const { filterSize, strides, pad, includeBatchInIndex } = attrs as unknown as tf.MaxPoolWithArgmaxAttrs;
    const info = tf.backend_util.computePool2DInfo(x.shape, filterSize, strides, 1, pad as "same");
    const { binding, executeMultipleOutputs } = backend as unknown as Backend;
    const attributes = [
      { name: "T", type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
      { name: "Targmax", type: binding.TF_ATTR_TYPE, value: binding.TF_INT32 },
      { name: "ksize", type: binding.TF_ATTR_INT, value: [1, info.filterHeight, info.filterWidth, 1] },
      { name: "strides", type: binding.TF_ATTR_INT, value: [1, info.strideHeight, info.strideWidth, 1] },
      { name: "padding", type: binding.TF_ATTR_STRING, value: info.padInfo.type },
      { name: "include_batch_in_index", type: binding.TF_ATTR_BOOL, value: includeBatchInIndex },
    ];
    return executeMultipleOutputs.call(backend, "MaxPoolWithArgmax", attributes, [x], 2);
  },
};
