import { arrayFor, DT, dtypeName, sizeOf, widthOf } from "../values/dtypes.ts";
import type { TypedArray } from "../values/dtypes.ts";
import { GraphError } from "../graph-error.ts";
import { HostTensor } from "../values/host-tensor.ts";
import { tensorflow } from "./c-api.ts";
import type { Handle } from "./c-api.ts";

/** A TF_Tensor with a copy of the values; the caller deletes it. */
export function makeNative(dtype: number, shape: readonly number[], values: TypedArray): Handle {
  const tf = tensorflow();
  const bytes = sizeOf(shape) * widthOf(dtype);
  if (values.byteLength !== bytes)
    throw new GraphError(
      `Expected ${bytes} bytes for a tensor of the shape [${shape.join(", ")}], got ${values.byteLength}.`,
    );
  const tensor = tf.TF_AllocateTensor(dtype, BigInt64Array.from(shape, BigInt), shape.length, bytes) as Handle;
  if (bytes > 0) tf.memcpy(tf.TF_TensorData(tensor), values, bytes);
  return tensor;
}

/** The values of a TF_Tensor, copied. */
export function readNative(tensor: Handle): { dtype: number; shape: number[]; values: TypedArray } {
  const tf = tensorflow();
  const dtype = tf.TF_TensorType(tensor) as number;
  const shape = Array.from({ length: tf.TF_NumDims(tensor) as number }, (_, axis) => Number(tf.TF_Dim(tensor, axis)));
  const values = arrayFor(dtype, sizeOf(shape));
  if (values.byteLength > 0) tf.memcpy(values, tf.TF_TensorData(tensor), values.byteLength);
  return { dtype, shape, values };
}

/** Converts a fetched tensor to JavaScript, integers as int32 and all others as float32; deletes the tensor. */
export function takeHost(tensor: Handle): HostTensor {
  try {
    return toHost(readNative(tensor));
  } finally {
    tensorflow().TF_DeleteTensor(tensor);
  }
}

function toHost({ dtype, shape, values }: ReturnType<typeof readNative>): HostTensor {
  if (dtype === DT.bool) return new HostTensor(values as Uint8Array, shape, "bool");
  if (dtype === DT.float32) return new HostTensor(values as Float32Array, shape, "float32");
  if (dtype === DT.int32) return new HostTensor(values as Int32Array, shape, "int32");
  if (dtype === DT.float64) return new HostTensor(Float32Array.from(values as Float64Array), shape, "float32");
  if (dtype === DT.int64 || dtype === DT.uint8)
    return new HostTensor(Int32Array.from(values as Uint8Array, Number), shape, "int32");
  throw new GraphError(
    `A result of the type ${dtypeName(dtype)} has no type in tfjs; cast it in the function that is computed.`,
  );
}
