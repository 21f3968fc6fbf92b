import { compile, type CompileOptions, type TraceEvent } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";

/** An input as JavaScript values. */
export interface Feed {
  readonly data: Float32Array | Int32Array;
  readonly shape: readonly number[];
}

/** An op's share of a traced run. */
export interface OpTime {
  readonly op: string;
  readonly count: number;
  readonly ms: number;
}

/** A function of tensors with one output. Inputs and output are JavaScript values. */
export interface Runnable {
  run(feeds: readonly Feed[]): Promise<Float32Array>;
  /** Runs several calls at once, in order; compiled functions only. */
  steps?(calls: readonly (readonly Feed[])[]): Promise<unknown>;
  /** Traces one run: returns the events of a Chrome trace and the time by op kind; compiled functions only. */
  profile?(
    feeds: readonly Feed[],
  ): Promise<{ readonly traceEvents: readonly TraceEvent[]; readonly ops: readonly OpTime[] }>;
}

type TensorFunction = (...inputs: tf.Tensor[]) => tf.Tensor;

/** Runs `fn` as one TensorFlow graph. */
export function compiled(fn: TensorFunction, options: CompileOptions): Runnable {
  const graph = compile((...inputs: tf.Tensor[]) => fn(...inputs), options);
  return {
    run: async (feeds) => (await graph(...feeds)).data as Float32Array,
    steps: (calls) => graph.steps(calls.map((feeds) => [...feeds])),
    profile: (feeds) => graph.profile(...feeds),
  };
}

/** Runs `fn` op by op. */
export function eager(fn: TensorFunction): Runnable {
  return {
    async run(feeds) {
      const output = tf.tidy(() =>
        fn(
          ...feeds.map(({ data, shape }) =>
            tf.tensor(data, [...shape], data instanceof Int32Array ? "int32" : "float32"),
          ),
        ),
      );
      const values = await output.data<"float32">();
      output.dispose();
      return values;
    },
  };
}
