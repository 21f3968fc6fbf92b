import type * as tf from "@tensorflow/tfjs-core";
import type { CompileOptions } from "../compile-options.ts";

/** An input tensor as JavaScript values; bytes stay bytes until they are in the graph. */
export interface Feed {
  readonly data: Uint8Array | Float32Array | Int32Array;
  readonly shape: readonly number[];
}

/** An output tensor: its float32 values and its shape. */
export interface Values {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

export type TensorFunction = (...inputs: tf.Tensor[]) => tf.Tensor[];

/** A function of tensors that can be called again and again with JavaScript values, on every engine. */
export interface Executable {
  run(feeds: readonly Feed[]): Promise<Values[]>;
  /**
   * Makes several calls in order, in one graph run where the engine can; the results are those of single calls. `before` gets
   * the index of each call before it runs, and may set the values it depends on, such as its learning rate.
   */
  runAll(calls: readonly (readonly Feed[])[], before?: (call: number) => void): Promise<Values[][]>;
  /** Makes the values of all variables readable by tfjs. */
  sync(): Promise<void>;
  /** The number of calls so far; random numbers in the function depend on it. */
  runs: number;
  /** Variables that the compiled function keeps besides the function's own: the loss scale of float16. */
  readonly kept: readonly tf.Variable[];
  dispose(): Promise<void>;
}

/**
 * The rest of a call that depends on its values, such as an update that only a finite loss permits. Op by op it is called after the
 * values were read, and before the next call; a compiled function, whose graph has all of the call, never calls it.
 */
export type Settle = (values: readonly Values[]) => void;

/** How a function is executed; `eager: true` runs it op by op even where it could be compiled. */
export interface ExecutionOptions extends CompileOptions {
  /** Runs the function op by op even where it could be compiled; by default true on all engines but TensorFlow's. */
  readonly eager?: boolean | undefined;
}
