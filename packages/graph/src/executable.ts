import { setImmediate } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs-core";
import { compile } from "./compile.ts";
import type { CompileOptions } from "./compile-options.ts";
import { forgetSortedLayers } from "./tfjs/sorted-layers.ts";

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

type TensorFunction = (...inputs: tf.Tensor[]) => tf.Tensor[];

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

/** How a function is executed; `eager: true` runs it op by op even where it could be compiled. */
export interface ExecutionOptions extends CompileOptions {
  /** Runs the function op by op even where it could be compiled; by default true on all engines but TensorFlow's. */
  readonly eager?: boolean | undefined;
}

/** Compiles `fn` into one TensorFlow graph on the TensorFlow engines; runs it op by op on the others. */
export function executable(fn: TensorFunction, options: ExecutionOptions = {}): Executable {
  const { eager = tf.getBackend() !== "tensorflow", ...compileOptions } = options;
  return eager ? eagerExecutable(fn) : compiledExecutable(fn, compileOptions);
}

function compiledExecutable(fn: TensorFunction, options: CompileOptions): Executable {
  const graph = compile((...inputs: tf.Tensor[]) => fn(...inputs), options);
  type Arguments = { data: Float32Array; shape: number[] }[];
  return {
    async run(feeds) {
      return (await graph(...(feeds as Arguments))) as unknown as Values[];
    },
    async runAll(calls, before) {
      return (await graph.steps(calls as Arguments[], before && { before })) as unknown as Values[][];
    },
    sync: () => graph.sync(),
    get runs() {
      return graph.runs;
    },
    set runs(count) {
      graph.runs = count;
    },
    kept: graph.kept,
    dispose: () => graph.dispose(),
  };
}

function eagerExecutable(fn: TensorFunction): Executable {
  return {
    runs: 0,
    kept: [],
    async run(feeds) {
      const outputs = tf.tidy(() => fn(...feeds.map(tensorOf)));
      this.runs += 1;
      const values = await Promise.all(
        outputs.map(async (output) => ({ data: await output.data<"float32">(), shape: output.shape })),
      );
      tf.dispose(outputs);
      // A backend that computes on JavaScript's thread never yields: without this pause, a loop of calls blocks signals
      // and timers.
      await setImmediate();
      return values;
    },
    async runAll(calls, before) {
      const results: Values[][] = [];
      for (const [call, feeds] of calls.entries()) {
        before?.(call);
        results.push(await this.run(feeds));
      }
      return results;
    },
    async sync() {},
    async dispose() {
      forgetSortedLayers();
    },
  };
}

function tensorOf({ data, shape }: Feed): tf.Tensor {
  // tfjs has no byte tensors: bytes become float32.
  const values = data instanceof Uint8Array ? Float32Array.from(data) : data;
  return tf.tensor(values, [...shape], values instanceof Int32Array ? "int32" : "float32");
}
