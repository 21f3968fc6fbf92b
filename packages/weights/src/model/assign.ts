import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { NamedTensor, TensorData } from "../bytes/named-tensor.ts";
import { collectedError } from "../weights-error.ts";

/** One weight of a model and the tensor to load into it. */
export interface Assignment {
  /** The weight's name in the model. */
  readonly name: string;
  readonly variable: tfl.LayerVariable;
  readonly tensor: NamedTensor;
  /** Reorders the tensor's values to the weight's axes; by default the order is the same. */
  readonly arrange?: (tensor: NamedTensor) => TensorData | Promise<TensorData>;
  /** What to do if the shapes differ, as the end of a message. */
  readonly hint?: string;
  /** The shape after `arrange`. */
  readonly shape: readonly number[];
}

/**
 * Loads every weight, or changes nothing. Compares all shapes before reading any byte, and reads all tensors before
 * changing any weight.
 */
export async function assign(
  file: string,
  assignments: readonly Assignment[],
  problems: readonly string[] = [],
): Promise<void> {
  const misshaped = assignments.flatMap(({ name, variable, tensor, shape, hint = "" }) =>
    sameShape(variable.shape as number[], shape)
      ? []
      : [`misshaped: "${name}" is [${variable.shape}], the file's "${tensor.name}" is [${shape}]${hint}`],
  );
  const all = [...problems, ...misshaped];
  if (all.length > 0)
    throw collectedError(
      file,
      "",
      `the weights do not fit the model, nothing was changed (${all.length} differences)`,
      all,
    );
  const values: tf.Tensor[] = [];
  try {
    for (const { variable, tensor, arrange, shape } of assignments)
      values.push(asTensor(arrange === undefined ? tensor.read() : await arrange(tensor), shape, variable.dtype));
    // Do not use `write`, which would apply the weight's constraint: load the file's numbers unchanged.
    for (const [index, { variable }] of assignments.entries())
      (variable as unknown as { readonly val: tf.Variable }).val.assign(values[index]!);
  } finally {
    tf.dispose(values);
  }
}

/** Keeps int32 only for int32 weights, which are Keras' counters. */
function asTensor(values: TensorData, shape: readonly number[], dtype: string): tf.Tensor {
  if (dtype === "int32")
    return tf.tensor(values instanceof Int32Array ? values : Int32Array.from(values), shape as number[], "int32");
  return tf.tensor(values instanceof Float32Array ? values : Float32Array.from(values), shape as number[], "float32");
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}
