import * as tf from "@tensorflow/tfjs-core";

import { denseBincount, maxPoolWithArgmax } from "./counting.ts";
import { registerDilatedDepthwise } from "./dilated-depthwise.ts";
import { registerExplicitPools } from "./explicit-pools.ts";
import { mendStridedFilterGradient } from "./strided-filter-gradient.ts";

/** The part of tfjs-node's backend that runs a TensorFlow op. */
interface TensorflowBackend {
  binding: { TF_ATTR_STRING: number; TF_ATTR_TYPE: number; TF_FLOAT: number; TF_INT32: number };
  executeSingleOutput(op: string, attributes: object[], inputs: tf.TensorInfo[]): tf.Tensor;
}

/**
 * Registers kernels that TensorFlow under tfjs-node lacks or gets wrong: the two image kernels behind
 * `tf.image.transform` and `rotateWithOffset`, `tf.denseBincount` and `tf.maxPoolWithArgmax`, rounding of integers,
 * which TensorFlow 2.21 turns into zeros, the filter gradient of strided 1x1 convolutions, which can corrupt memory
 * there, pools with explicit padding and depthwise convolutions with dilation.
 */
export function registerTensorflowKernels(): void {
  for (const kernel of [transform, rotateWithOffset, round, denseBincount, maxPoolWithArgmax]) {
    const present = tf.getKernel(kernel.kernelName, kernel.backendName);
    if (present === kernel) continue;
    if (present) tf.unregisterKernel(kernel.kernelName, kernel.backendName);
    tf.registerKernel(kernel);
  }
  mendStridedFilterGradient();
  registerExplicitPools();
  registerDilatedDepthwise();
}

const round: tf.KernelConfig = {
  kernelName: "Round",
  backendName: "tensorflow",
  kernelFunc: ({ inputs, backend }) => {
    const x = inputs["x"] as tf.TensorInfo;
    const { binding, executeSingleOutput } = backend as TensorflowBackend;
    const isInteger = x.dtype === "int32";
    const type = { name: "T", type: binding.TF_ATTR_TYPE, value: isInteger ? binding.TF_INT32 : binding.TF_FLOAT };
    return executeSingleOutput.call(backend, isInteger ? "Identity" : "Round", [type], [x]);
  },
};

const transform: tf.KernelConfig = {
  kernelName: "Transform",
  backendName: "tensorflow",
  kernelFunc: ({ inputs, backend, attrs }) => {
    const { image, transforms } = inputs as { image: tf.TensorInfo; transforms: tf.TensorInfo };
    const { interpolation, fillMode, fillValue, outputShape } = attrs as unknown as tf.TransformAttrs;
    const [height, width] = outputShape ?? (image.shape.slice(1, 3) as [number, number]);
    return project(backend, image, transforms, { interpolation, fillMode, fillValue, height, width });
  },
};

/** Rotates as tfjs' other backends do: nearest pixel, centre as a fraction of the size, alpha 255 for a fill colour. */
const rotateWithOffset: tf.KernelConfig = {
  kernelName: "RotateWithOffset",
  backendName: "tensorflow",
  kernelFunc: ({ inputs, backend, attrs }) => {
    const image = inputs["image"] as tf.TensorInfo;
    const { radians, fillValue, center } = attrs as unknown as tf.RotateWithOffsetAttrs;
    const [, height, width, channels] = image.shape as [number, number, number, number];
    const [x, y] = tf.backend_util.getImageCenter(center, height, width);
    const [cos, sin] = [Math.cos(radians), Math.sin(radians)];
    const row = [cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y, 0, 0];
    return tf.tidy(() => {
      const how = { interpolation: "nearest", fillMode: "constant", height, width } as const;
      const rotate = (from: tf.TensorInfo, fillValue: number) =>
        project(backend, from, tf.tensor2d([row]), { ...how, fillValue });
      if (typeof fillValue === "number") return rotate(image, fillValue);
      const color = tf.tensor1d([...fillValue, 255].slice(0, channels));
      const isInside = tf.cast(rotate(tf.ones(image.shape), 0), "bool");
      return tf.where(isInside, rotate(image, 0), color);
    });
  },
};

interface Projection {
  interpolation: "nearest" | "bilinear";
  fillMode: "constant" | "reflect" | "wrap" | "nearest";
  fillValue: number;
  height: number;
  width: number;
}

function project(
  backend: unknown,
  image: tf.TensorInfo,
  transforms: tf.TensorInfo,
  { interpolation, fillMode, fillValue, height, width }: Projection,
): tf.Tensor {
  const { binding, executeSingleOutput } = backend as TensorflowBackend;
  const attributes = [
    { name: "dtype", type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    { name: "interpolation", type: binding.TF_ATTR_STRING, value: interpolation.toUpperCase() },
    { name: "fill_mode", type: binding.TF_ATTR_STRING, value: fillMode.toUpperCase() },
  ];
  return tf.tidy(() => {
    const size = tf.tensor1d([height, width], "int32");
    const images = image.dtype === "float32" ? image : tf.cast(image as tf.Tensor, "float32");
    return executeSingleOutput.call(backend, "ImageProjectiveTransformV3", attributes, [
      images,
      transforms,
      size,
      tf.scalar(fillValue),
    ]);
  });
}
