import * as tf from "@tensorflow/tfjs-core";
import { GraphError } from "../graph-error.ts";
import { sizeOf } from "./dtypes.ts";

/** Typed arrays of a tensor's values. */
export type HostData = Float32Array | Int32Array | Uint8Array;

/** A tensor in JavaScript's memory. Compiled functions return it, and accept it like any `{ data, shape }`. */
export class HostTensor {
  readonly data: HostData;
  readonly shape: number[];
  readonly dtype: "float32" | "int32" | "bool";

  constructor(data: HostData, shape: readonly number[], dtype: "float32" | "int32" | "bool") {
    this.data = data;
    this.shape = [...shape];
    this.dtype = dtype;
  }

  /** The number in a tensor of size 1; throws for any other size. */
  item(): number {
    const [value] = this.data;
    if (value === undefined || sizeOf(this.shape) !== 1)
      throw new GraphError(
        `item(): expected a tensor of one element, got the shape [${this.shape.join(", ")}]; read \`data\` instead.`,
      );
    return value;
  }

  /** A tfjs tensor with the same values, which the caller disposes. */
  tensor(): tf.Tensor {
    return tf.tensor(this.data, this.shape, this.dtype);
  }
}
