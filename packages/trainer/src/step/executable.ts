import { compile, type CompileOptions } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";

/** An input from JavaScript: bytes stay bytes until the graph. */
export interface Feed {
  readonly data: Uint8Array | Float32Array | Int32Array;
  readonly shape: readonly number[];
}

/** An output: float32 values and their shape. */
export interface Values {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

type TensorFunction = (...inputs: tf.Tensor[]) => tf.Tensor[];

/** A function of tensors, ready to be called again and again with values from JavaScript. */
export interface Executable {
  run(feeds: readonly Feed[]): Promise<Values[]>;
  /**
   * Several calls in order, in one go where the engine can; the same results as one by one. `before` is told the place of
   * each call and may set what it is fed with, as its learning rate.
   */
  runAll(calls: readonly (readonly Feed[])[], before?: (call: number) => void): Promise<Values[][]>;
  /** Brings all variables to where tfjs reads them at no cost. */
  sync(): Promise<void>;
  /** How often it ran, which all that is drawn by chance inside depends on. */
  runs: number;
  /** What it keeps of its own from run to run, beside the function's variables. */
  readonly kept: readonly tf.Variable[];
  dispose(): Promise<void>;
}

/** How functions are made executable; `eager` runs op by op also where a graph could be made. */
export interface ExecutionOptions extends CompileOptions {
  readonly eager?: boolean;
}

/** One TensorFlow graph a call on the TensorFlow engines, op by op on the others. */
export function executable(fn: TensorFunction, options: ExecutionOptions = {}): Executable {
  const { eager = tf.getBackend() !== "tensorflow", ...compileOptions } = options;
  return eager ? eagerly(fn) : compiled(fn, compileOptions);
}

function compiled(fn: TensorFunction, options: CompileOptions): Executable {
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

function eagerly(fn: TensorFunction): Executable {
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
    async dispose() {},
  };
}

function tensorOf({ data, shape }: Feed): tf.Tensor {
  // tfjs has no bytes; pixels are floats there, class numbers int32.
  const values = data instanceof Uint8Array ? Float32Array.from(data) : data;
  return tf.tensor(values, [...shape], values instanceof Int32Array ? "int32" : "float32");
}
