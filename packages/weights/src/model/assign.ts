import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { NamedTensor, TensorData } from "../bytes/named-tensor.ts";
import { collectedError } from "../weights-error.ts";

/** One weight of a model and the tensor that it shall become. */
export interface Assignment {
  /** The weight as the model names it. */
  readonly name: string;
  readonly variable: tfl.LayerVariable;
  readonly tensor: NamedTensor;
  /** The tensor's values in the order of the weight's axes; as they are by default. */
  readonly arrange?: (tensor: NamedTensor) => TensorData | Promise<TensorData>;
  /** The shape after `arrange`. */
  readonly shape: readonly number[];
}

/**
 * Gives every weight its tensor, or changes nothing: shapes are compared before the first byte is read, and all
 * tensors are there before the first weight changes.
 */
export async function assign(
  file: string,
  assignments: readonly Assignment[],
  problems: readonly string[] = [],
): Promise<void> {
  const misshaped = assignments.flatMap(({ name, variable, tensor, shape }) =>
    sameShape(variable.shape as number[], shape)
      ? []
      : [`misshaped: "${name}" is [${variable.shape}], the file's "${tensor.name}" is [${shape}]`],
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
    // Not by `write`, which would apply the weight's constraint: a file's numbers are loaded as they are.
    for (const [index, { variable }] of assignments.entries())
      (variable as unknown as { readonly val: tf.Variable }).val.assign(values[index]!);
  } finally {
    tf.dispose(values);
  }
}

/** Whole numbers are kept as such only where the weight is one: Keras' counters. */
function asTensor(values: TensorData, shape: readonly number[], dtype: string): tf.Tensor {
  if (dtype === "int32")
    return tf.tensor(values instanceof Int32Array ? values : Int32Array.from(values), shape as number[], "int32");
  return tf.tensor(values instanceof Float32Array ? values : Float32Array.from(values), shape as number[], "float32");
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}
