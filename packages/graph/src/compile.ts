import type * as tf from "@tensorflow/tfjs-core";
import { checkOptions, shown } from "@convkit/errors";
import { describeTrace } from "./compiled/describe.ts";
import type { TraceDescription } from "./compiled/describe.ts";
import { GraphError } from "./graph-error.ts";
import { profileOf } from "./session/profile.ts";
import type { Profile } from "./session/profile.ts";
import { savedModelOptionNames } from "./saved-model/write.ts";
import type { SavedModelOptions } from "./saved-model/write.ts";
import type { Input, Result } from "./values/nested.ts";
import { checkCompile, compileOptionNames } from "./compile-options.ts";
import type { CompileOptions } from "./compile-options.ts";
import { FunctionCompiler } from "./compiled/function-compiler.ts";
import type { RecordAll } from "./compiled/build-graph.ts";

/** A function that runs as one TensorFlow graph. */
export interface Compiled<A extends unknown[], R> {
  /**
   * Runs the function. Calls queue up and run in order. The arguments are copied at once, so they may be reused or
   * disposed.
   */
  (...args: { [K in keyof A]: Input<A[K]> }): Promise<Result<R>>;
  /** Runs the function and blocks JavaScript, after the run in progress. */
  now(...args: { [K in keyof A]: Input<A[K]> }): Result<R>;
  /**
   * Makes several calls in one run of one graph, in order; the results equal those of single calls. For functions so
   * small that the cost of a call matters. `before` gets the index of each call in turn and may set learning rates and
   * hypers. Each number of calls needs its own trace.
   */
  steps(
    calls: readonly { [K in keyof A]: Input<A[K]> }[],
    options?: {
      /** Called with the index of each call, before it; none by default. */
      before?: (call: number) => void;
    },
  ): Promise<Result<R>[]>;
  /** Runs the function once with TensorFlow's tracing on, and times each op. */
  profile(...args: { [K in keyof A]: Input<A[K]> }): Promise<Profile<Result<R>>>;
  /**
   * Writes the function as a SavedModel, for arguments like the given ones; the batch size is free if the graph allows
   * it. Python's `tf.saved_model.load` and tfjs-node's `tf.node.loadSavedModel` run it.
   */
  savedModel(folder: string, args: { [K in keyof A]: Input<A[K]> }, options?: SavedModelOptions): Promise<void>;
  /** Describes the traces so far, one per input signature. */
  describe(): TraceDescription[];
  /** Waits for all runs and copies every variable's value to tfjs, so that reading them is then free. */
  sync(): Promise<void>;
  /** Waits for pending runs, then frees the compiled graphs; variables keep their values, in tfjs. */
  dispose(): Promise<void>;
  /** The number of runs so far, on which random numbers depend: set it to continue as an earlier process would. */
  runs: number;
  /** Variables besides the function's own that must be saved and restored with them: the loss scale of float16. */
  readonly kept: readonly tf.Variable[];
}

/**
 * Traces an ordinary tfjs function (layers, losses, `optimizer.minimize`, own ops) into a TensorFlow graph and runs the
 * graph instead. The function itself is called once per input signature, with tensors that have shapes but no values.
 * Variables are found automatically, and live in a session that all functions with the same variables and options share.
 * Throws GraphError if the function reads a value back, has sizes that depend on data, or uses ops unknown to
 * TensorFlow.
 */
export function compile<A extends unknown[], R>(fn: (...args: A) => R, options: CompileOptions = {}): Compiled<A, R> {
  return compileWith(fn, options, "fused");
}

/**
 * Like `compile`, but always with tfjs' numbers; for calls by `now`. If the square of a gradient overflows, tfjs'
 * average of squares stays infinite, but TensorFlow's fused updates make it NaN at the next run. From then on,
 * optimizers update with tfjs' own code.
 */
export function compileWatched<A extends unknown[], R>(
  fn: (...args: A) => R,
  options: CompileOptions = {},
): Compiled<A, R> {
  return compileWith(
    fn,
    options,
    options.precision === undefined || options.precision === "float32" ? "watched" : "fused",
  );
}

function compileWith<A extends unknown[], R>(
  fn: (...args: A) => R,
  options: CompileOptions,
  updates: RecordAll["updates"],
): Compiled<A, R> {
  checkCompile("compile", options, compileOptionNames);
  if (typeof fn !== "function") {
    throw new GraphError(
      `compile: expected a function of tensors, got ${shown(fn)}; a model is compiled by accelerate.`,
    );
  }
  const compiler = new FunctionCompiler(fn as (...args: unknown[]) => unknown, options, updates);
  const { lossScale } = compiler;

  const call = async (...args: unknown[]): Promise<unknown> => {
    const { trace, leaves } = compiler.traceFor([args]);
    const running = trace.run(leaves);
    compiled.runs++;
    const [result] = await running;
    return result;
  };

  const compiled = Object.assign(call, {
    runs: 0,
    kept: lossScale === undefined ? [] : [lossScale.scale, lossScale.good],
    now: (...args: unknown[]) => {
      const { trace, leaves } = compiler.traceFor([args]);
      const [result] = trace.runNow(leaves);
      compiler.hasOverflowed ||= trace.hasOverflowed;
      compiled.runs++;
      return result;
    },
    steps: async (calls: readonly (readonly unknown[])[], { before }: { before?: (call: number) => void } = {}) => {
      if (calls.length === 0) return [];
      const { trace, leaves } = compiler.traceFor(calls);
      const running = trace.run(leaves, before === undefined ? {} : { before });
      compiled.runs += calls.length;
      return running;
    },
    profile: async (...args: unknown[]) => {
      const { trace, leaves } = compiler.traceFor([args]);
      let metadata = new Uint8Array();
      const running = trace.run(leaves, { sink: (bytes) => (metadata = new Uint8Array(bytes)) });
      compiled.runs++;
      const [result] = await running;
      return profileOf(metadata, result);
    },
    savedModel: async (folder: string, args: readonly unknown[], save: SavedModelOptions = {}) => {
      checkOptions("savedModel", save, savedModelOptionNames, (message) => new GraphError(message));
      await compiler.save(folder, args, save);
    },
    describe: () => compiler.traces.all().map((trace) => describeTrace(trace)),
    sync: () => compiler.sync(),
    dispose: () => compiler.dispose(),
  });
  compiler.counter = () => compiled.runs;
  return compiled as unknown as Compiled<A, R>;
}
