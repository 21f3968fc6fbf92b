import type * as tf from "@tensorflow/tfjs-core";
import { isTracing } from "./tfjs/recording.ts";
import { patchedBackend } from "./patches/backend.ts";
import { describeTrace } from "./compiled/describe.ts";
import type { TraceDescription } from "./compiled/describe.ts";
import { GraphError } from "./graph-error.ts";
import { acquireRuntime, privateRuntime, releaseRuntime, sweep } from "./session/shared-session.ts";
import type { Runtime } from "./session/shared-session.ts";
import type { SessionConfig } from "./session/config.ts";
import { LossScale } from "./trace/loss-scale.ts";
import { profileOf } from "./session/profile.ts";
import type { Profile } from "./session/profile.ts";
import { writeSavedModel } from "./saved-model/write.ts";
import type { SavedModelOptions } from "./saved-model/write.ts";
import { signatureOf } from "./values/signature.ts";
import type { Leaf } from "./values/signature.ts";
import type { Input, Result } from "./values/nested.ts";
import { CompiledTrace } from "./compiled/compiled-trace.ts";
import type { RecordAll, TraceOptions } from "./compiled/build-graph.ts";

/** The errors of functions that could not be traced; all others are of runs. */
const untraceable = new WeakSet<GraphError>();

/** Whether a function failed to compile, so that it may do eagerly. */
export function isUntraceable(error: unknown): boolean {
  return error instanceof GraphError && untraceable.has(error);
}

/** How a function is compiled. */
export interface CompileOptions extends SessionConfig, Partial<TraceOptions> {}

/** A function that runs as one TensorFlow graph. */
export interface Compiled<A extends unknown[], R> {
  /** Runs it; calls queue up and run in order. Its arguments are copied at once, so they may be reused or disposed. */
  (...args: { [K in keyof A]: Input<A[K]> }): Promise<Result<R>>;
  /** Runs it while JavaScript waits, after the run in progress. */
  now(...args: { [K in keyof A]: Input<A[K]> }): Result<R>;
  /**
   * Several calls in one run of one graph, in order, for functions so small that the call itself counts; the same results
   * as one by one. Learning rates and hypers are as they are now, or as `before`, which is told the place of each call in
   * turn, sets them. One trace for each number of calls.
   */
  steps(
    calls: readonly { [K in keyof A]: Input<A[K]> }[],
    options?: { before?: (call: number) => void },
  ): Promise<Result<R>[]>;
  /** Runs it once with TensorFlow's tracing on: each op with its time. */
  profile(...args: { [K in keyof A]: Input<A[K]> }): Promise<Profile<Result<R>>>;
  /**
   * Writes the function as a SavedModel, for arguments like the given; any batch size goes where the graph allows it.
   * Python's `tf.saved_model.load` and tfjs-node's `tf.node.loadSavedModel` run it.
   */
  savedModel(folder: string, args: { [K in keyof A]: Input<A[K]> }, options?: SavedModelOptions): Promise<void>;
  /** What was traced so far, one entry an input signature. */
  describe(): TraceDescription[];
  /** Waits for all runs and brings every variable's value to tfjs, so that reading them costs nothing more. */
  sync(): Promise<void>;
  /** Frees what was compiled; variables keep their values, in tfjs. Waits for runs that are under way. */
  dispose(): Promise<void>;
  /** The number of runs so far, which random numbers depend on: set it to go on as an earlier process would. */
  runs: number;
  /** What it keeps beside the function's own variables, to be saved and assigned as these are: the loss scale of float16. */
  readonly kept: readonly tf.Variable[];
}

/**
 * Makes a TensorFlow graph of an ordinary tfjs function (layers, losses, `optimizer.minimize`, own ops) and runs that
 * instead: the function itself is called once for each input signature, with tensors that have shapes and no values.
 * Variables are found by themselves, live in the session, and are shared by all functions compiled with equal options.
 * Throws GraphError where the function reads a value back, has sizes that depend on data, or uses ops unknown to TensorFlow.
 */
export function compile<A extends unknown[], R>(fn: (...args: A) => R, options: CompileOptions = {}): Compiled<A, R> {
  return make(fn, options, "fused");
}

/**
 * The same with tfjs' numbers in every case, where it runs by `now`: from the run after one in which a gradient's square
 * overflows, optimizers update by tfjs' own code, whose averages of squares then stay infinite where those of TensorFlow's
 * fused updates become NaN.
 */
export function compileWatched<A extends unknown[], R>(
  fn: (...args: A) => R,
  options: CompileOptions = {},
): Compiled<A, R> {
  return make(fn, options, options.precision === undefined || options.precision === "float32" ? "watched" : "fused");
}

function make<A extends unknown[], R>(
  fn: (...args: A) => R,
  { seed = 0, precision = "float32", freeze = false, threads, deterministic }: CompileOptions,
  updates: RecordAll["updates"],
): Compiled<A, R> {
  if (!["float32", "bfloat16", "float16"].includes(precision))
    throw new GraphError(`The precision is "float32", "bfloat16" or "float16", and "${precision}" came.`);
  if (threads !== undefined && !(Number.isInteger(threads) && threads > 0))
    throw new GraphError(`The number of threads is a whole number from 1, and ${threads} came.`);
  const traces = new Map<string, CompiledTrace>();
  /** The ends of traces that others took the place of. */
  const outdated = new Set<Promise<void>>();
  const config = { ...(threads !== undefined && { threads }), ...(deterministic !== undefined && { deterministic }) };
  let shared: Runtime | undefined;
  let disposed = false;
  let hasOverflowed = false;

  const plain = fn as (...args: unknown[]) => unknown;
  const lossScale = precision === "float16" ? new LossScale() : undefined;
  const options = (): RecordAll => ({
    seed,
    precision,
    freeze,
    exact: deterministic === true,
    updates: hasOverflowed ? "own" : updates,
    counter: () => compiled.runs,
    ...(lossScale !== undefined && { lossScale }),
  });

  async function end(trace: CompiledTrace): Promise<void> {
    await trace.dispose();
    if (shared !== undefined) await sweep(shared);
  }

  /** The trace for the signature of one call or several, made now if it is new. */
  function traceFor(calls: readonly (readonly unknown[])[]): { trace: CompiledTrace; leaves: Leaf[] } {
    if (disposed) throw new GraphError("This compiled function was disposed.");
    if (isTracing())
      throw new GraphError("A compiled function was called inside another; call the plain function there.");
    const backend = patchedBackend();
    const { key: signature, leaves, skeleton } = signatureOf(calls);
    const key = `${hasOverflowed} ${signature}`;
    let trace = traces.get(key);
    if (trace?.isOutdated === true) {
      const ended = end(trace).finally(() => outdated.delete(ended));
      outdated.add(ended);
      trace = undefined;
    }
    if (trace === undefined) {
      traces.delete(key);
      const runtime = freeze ? privateRuntime(config, backend) : (shared ??= acquireRuntime(config, backend));
      try {
        trace = new CompiledTrace(runtime, plain, { leaves, skeleton }, options());
      } catch (error) {
        if (freeze) releaseRuntime(runtime);
        if (error instanceof GraphError) untraceable.add(error);
        throw error;
      }
      traces.set(key, trace);
    }
    return { trace, leaves };
  }

  const call = async (...args: unknown[]): Promise<unknown> => {
    const { trace, leaves } = traceFor([args]);
    const running = trace.run(leaves);
    compiled.runs++;
    const [result] = await running;
    return result;
  };

  const compiled = Object.assign(call, {
    runs: 0,
    kept: lossScale === undefined ? [] : [lossScale.scale, lossScale.good],
    now: (...args: unknown[]) => {
      const { trace, leaves } = traceFor([args]);
      const [result] = trace.runNow(leaves);
      hasOverflowed ||= trace.hasOverflowed;
      compiled.runs++;
      return result;
    },
    steps: async (calls: readonly (readonly unknown[])[], { before }: { before?: (call: number) => void } = {}) => {
      if (calls.length === 0) return [];
      const { trace, leaves } = traceFor(calls);
      const running = trace.run(leaves, before === undefined ? {} : { before });
      compiled.runs += calls.length;
      return running;
    },
    profile: async (...args: unknown[]) => {
      const { trace, leaves } = traceFor([args]);
      let metadata = new Uint8Array();
      const running = trace.run(leaves, { sink: (bytes) => (metadata = new Uint8Array(bytes)) });
      compiled.runs++;
      const [result] = await running;
      return profileOf(metadata, result);
    },
    savedModel: (folder: string, args: readonly unknown[], { frozen = freeze, ...save }: SavedModelOptions = {}) =>
      writeSavedModel(folder, patchedBackend(), plain, args, {
        ...options(),
        updates: "fused",
        ...save,
        freeze: frozen,
      }),
    describe: () => [...traces.values()].map((trace) => describeTrace(trace)),
    sync: async () => {
      await shared?.session.idle();
      for (const trace of traces.values()) shared?.variables.refresh(trace.variables);
    },
    dispose: async () => {
      if (disposed) return;
      disposed = true;
      await Promise.all([...outdated, ...[...traces.values()].map((trace) => trace.dispose())]);
      traces.clear();
      lossScale?.dispose();
      if (shared === undefined) return;
      releaseRuntime(shared);
      await sweep(shared);
    },
  });
  return compiled as unknown as Compiled<A, R>;
}
