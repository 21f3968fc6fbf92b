import * as tf from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";

import { EngineError } from "../../engine-error.ts";
import type { Runtime } from "./runtime.ts";

/** The backend and the runtime that a kernel uses. */
export interface Context {
  backend: BackendWasm;
  runtime: Runtime;
}

/** A kernel on the wasm backend: tensors by name and attributes in, a tensor (or several) out. */
export type Kernel<Result = tf.TensorInfo> = (inputs: Inputs, attrs: Attrs, context: Context) => Result;

/** Tensors of a kernel, by name. */
export type Inputs = Readonly<Record<string, tf.TensorInfo>>;

/** Attributes of a kernel; each kernel knows the types of its attributes. */
export type Attrs = Readonly<Record<string, unknown>>;

/** A tensor's address in the heap. It stays valid until the tensor is disposed, even if the heap grows. */
export function address({ backend }: Context, tensor: tf.TensorInfo): number {
  return backend.getMemoryOffset(tensor.dataId as object);
}

/** An uninitialised tensor. */
export function output({ backend }: Context, shape: readonly number[], dtype: tf.DataType = "float32"): tf.TensorInfo {
  return backend.makeOutput([...shape], dtype);
}

/** A kernel's required input. */
export function input(inputs: Inputs, name: string): tf.TensorInfo {
  const tensor = inputs[name];
  if (tensor === undefined) throw new EngineError(`A kernel was called without its input "${name}".`);
  return tensor;
}

/** Runs one of the backend's own kernels. */
export function call({ backend }: Context, kernelName: string, inputs: Inputs, attrs: Attrs = {}): tf.TensorInfo {
  const kernel = tf.getKernel(kernelName, "wasm");
  return kernel.kernelFunc({
    inputs: inputs as tf.NamedTensorInfoMap,
    attrs: attrs as tf.NamedAttrMap,
    backend,
  }) as tf.TensorInfo;
}

/** The element count of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The bits of a float32 as an int32, the type of all kernel arguments. */
export function floatBits(value: number): number {
  float[0] = value;
  return bits[0]!;
}
