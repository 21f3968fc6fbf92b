import type * as tf from "@tensorflow/tfjs-core";
import { checkOptions, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import { isTracing } from "./tfjs/recording.ts";
import { patchedBackend } from "./patches/backend.ts";
import { describeTrace } from "./compiled/describe.ts";
import type { TraceDescription } from "./compiled/describe.ts";
import { GraphError } from "./graph-error.ts";
import { LossScale } from "./trace/loss-scale.ts";
import { profileOf } from "./session/profile.ts";
import type { Profile } from "./session/profile.ts";
import { savedModelOptionNames, writeSavedModel } from "./saved-model/write.ts";
import type { SavedModelOptions } from "./saved-model/write.ts";
import { signatureOf } from "./values/signature.ts";
import type { Leaf } from "./values/signature.ts";
import type { Input, Result } from "./values/nested.ts";
import { CompiledTrace } from "./compiled/compiled-trace.ts";
import { BatchCheck, batchOf, recordAnyBatch } from "./compiled/any-batch.ts";
import type { AnyBatch } from "./compiled/any-batch.ts";
import { TraceCache } from "./compiled/trace-cache.ts";
import type { RecordAll, TraceOptions } from "./compiled/build-graph.ts";

/** Errors of tracing; all other errors come from runs. */
const untraceable = new WeakSet<GraphError>();

/** True for tracing errors: the function may still run eagerly. */
export function isUntraceable(error: unknown): boolean {
  return error instanceof GraphError && untraceable.has(error);
}

/** How a function is compiled. */
export interface CompileOptions {
  /** Seed of all random numbers drawn in the graph; 0 by default. */
  readonly seed?: number | undefined;
  /**
   * The type that convolutions, matrix products and the ops between them compute in; "float32" by default. Variables
   * stay float32.
   */
  readonly precision?: TraceOptions["precision"] | undefined;
  /**
   * Turns variables into constants with their values at the first call of a signature, for the fastest predictions;
   * false by default. All batch sizes but the first share one graph, if the function computes the same at all of them.
   */
  readonly freeze?: boolean | undefined;
  /** Threads within an op and between ops; one per core by default. */
  readonly threads?: number | undefined;
  /**
   * Computes the same bits as eager tfjs with as many threads, equal from run to run; slower. TensorFlow then computes
   * deterministically in the whole process. False by default.
   */
  readonly deterministic?: boolean | undefined;
  /** Called once if the function was traced for many values of a number; emits Node's warning by default. */
  readonly onNotice?: ((line: string) => void) | undefined;
}

const compileOptionNames: OptionNames<CompileOptions> = {
  seed: true,
  precision: true,
  freeze: true,
  threads: true,
  deterministic: true,
  onNotice: true,
};

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
  checkOptions("compile", options, compileOptionNames, (message) => new GraphError(message));
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

/** Traces a function for each signature it is called with. */
class FunctionCompiler {
  readonly traces = new TraceCache();
  readonly lossScale: LossScale | undefined;
  /** True if the square of a gradient overflowed: optimizers then update with their own code. */
  hasOverflowed = false;
  /** The number of runs so far. */
  counter = (): number => 0;
  readonly #fn: (...args: unknown[]) => unknown;
  readonly #options: TraceOptions;
  readonly #config: { threads?: number; deterministic?: boolean };
  readonly #updates: RecordAll["updates"];
  readonly #onNotice: (line: string) => void;
  #disposed = false;
  /** Signatures without batch size: those seen, those that need a trace a size, and at which sizes one trace serves. */
  readonly #openKeys = new Set<string>();
  readonly #needSizes = new Set<string>();
  readonly #checks = new Map<string, BatchCheck>();

  constructor(
    fn: (...args: unknown[]) => unknown,
    {
      seed = 0,
      precision = "float32",
      freeze = false,
      threads,
      deterministic,
      onNotice = (line) => process.emitWarning(line),
    }: CompileOptions,
    updates: RecordAll["updates"],
  ) {
    if (!["float32", "bfloat16", "float16"].includes(precision))
      throw new GraphError(`The precision is "float32", "bfloat16" or "float16", and "${precision}" came.`);
    if (threads !== undefined && !(Number.isInteger(threads) && threads > 0))
      throw new GraphError(`The number of threads is a whole number from 1, and ${threads} came.`);
    this.#fn = fn;
    this.#options = { seed, precision, freeze };
    this.#config = { ...(threads !== undefined && { threads }), ...(deterministic !== undefined && { deterministic }) };
    this.#updates = updates;
    this.#onNotice = onNotice;
    this.lossScale = precision === "float16" ? new LossScale() : undefined;
  }

  /** The trace for the signature of one or several calls; traces the function if the signature is new. */
  traceFor(calls: readonly (readonly unknown[])[]): { trace: CompiledTrace; leaves: Leaf[] } {
    if (this.#disposed) throw new GraphError("This compiled function was disposed.");
    if (isTracing())
      throw new GraphError("A compiled function was called inside another; call the plain function there.");
    patchedBackend();
    const { key, shapes, openKey, leaves, skeleton } = signatureOf(calls);
    const traceKey = { key: `${this.hasOverflowed} ${key}`, shapes };
    const known = this.traces.find(traceKey);
    if (known !== undefined) return { trace: known, leaves };
    const open = calls.length === 1 ? this.#traceForAnyBatch(openKey, { leaves, skeleton }) : undefined;
    if (open !== undefined) return { trace: open, leaves };
    const trace = this.#trace({ leaves, skeleton });
    if (this.traces.add(traceKey, trace))
      this.#onNotice(
        "A compiled function is traced anew for each value of a number, text or object among its arguments; give what changes as a tensor, or read it from a hyper.",
      );
    return { trace, leaves };
  }

  save(folder: string, args: readonly unknown[], { frozen, ...save }: SavedModelOptions): Promise<void> {
    const { freeze } = this.#options;
    const options = { ...this.#recording(), updates: "fused" as const, ...save, freeze: frozen ?? freeze };
    return writeSavedModel(folder, patchedBackend(), this.#fn, args, options);
  }

  async sync(): Promise<void> {
    for (const trace of this.traces.all()) await trace.sync();
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.traces.dispose();
    this.#checks.clear();
    this.lossScale?.dispose();
  }

  /**
   * The trace of a frozen function that serves all batch sizes but its first; undefined if the function needs one a size.
   * A trace a size would hold all weights again.
   */
  #traceForAnyBatch(
    openKey: string,
    signature: { leaves: readonly Leaf[]; skeleton: unknown },
  ): CompiledTrace | undefined {
    const batch = batchOf(signature.leaves);
    if (!this.#options.freeze || batch === undefined || batch === 0) return undefined;
    const isFirst = !this.#openKeys.has(openKey);
    this.#openKeys.add(openKey);
    if (isFirst || this.#needSizes.has(openKey)) return undefined;
    const key = { key: `any batch ${openKey}`, shapes: `any batch ${openKey}` };
    let trace = this.traces.find(key);
    if (trace === undefined) {
      const options = this.#recording();
      const anyBatch = recordAnyBatch(patchedBackend(), this.#fn, signature, options);
      if (anyBatch === undefined) {
        this.#needSizes.add(openKey);
        return undefined;
      }
      const { batches } = anyBatch;
      this.#checks.set(openKey, new BatchCheck(patchedBackend(), this.#fn, signature, { batches, options }));
      trace = this.#trace(signature, anyBatch);
      this.traces.add(key, trace);
    }
    return this.#checks.get(openKey)!.fits(batch) ? trace : undefined;
  }

  #trace(signature: { leaves: readonly Leaf[]; skeleton: unknown }, anyBatch?: AnyBatch): CompiledTrace {
    const home = this.traces.all().at(-1)?.runtime;
    const place = { backend: patchedBackend(), config: this.#config, ...(home !== undefined && { home }) };
    try {
      return new CompiledTrace(place, this.#fn, signature, this.#recording(), anyBatch);
    } catch (error) {
      if (error instanceof GraphError) untraceable.add(error);
      throw error;
    }
  }

  #recording(): RecordAll {
    return {
      ...this.#options,
      exact: this.#config.deterministic === true,
      updates: this.hasOverflowed ? "own" : this.#updates,
      counter: () => this.counter(),
      ...(this.lossScale !== undefined && { lossScale: this.lossScale }),
    };
  }
}
