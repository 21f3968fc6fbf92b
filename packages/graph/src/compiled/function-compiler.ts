import { isTracing } from "../tfjs/recording.ts";
import { patchedBackend } from "../patches/backend.ts";
import type { CompileOptions } from "../compile-options.ts";
import { GraphError } from "../graph-error.ts";
import { LossScale } from "../trace/loss-scale.ts";
import { writeSavedModel } from "../saved-model/write.ts";
import type { SavedModelOptions } from "../saved-model/write.ts";
import { signatureOf } from "../values/signature.ts";
import type { Leaf } from "../values/signature.ts";
import { otherThreads, warnOnce } from "../session/threads.ts";
import { CompiledTrace } from "./compiled-trace.ts";
import { BatchCheck, batchOf, recordAnyBatch } from "./any-batch.ts";
import type { AnyBatch } from "./any-batch.ts";
import { TraceCache } from "./trace-cache.ts";
import type { TraceKey } from "./trace-cache.ts";
import type { RecordAll, TraceOptions } from "./build-graph.ts";

/** Errors of tracing; all other errors come from runs. */
const untraceable = new WeakSet<GraphError>();

/** True for tracing errors: the function may still run eagerly. */
export function isUntraceable(error: unknown): boolean {
  return error instanceof GraphError && untraceable.has(error);
}

/** Traces a function for each signature it is called with. */
export class FunctionCompiler {
  readonly traces = new TraceCache();
  readonly lossScale: LossScale | undefined;
  /** True if the square of a gradient overflowed: optimizers then update with their own code. */
  hasOverflowed = false;
  /** The number of runs so far. */
  counter = (): number => 0;
  readonly #fn: (...args: unknown[]) => unknown;
  readonly #options: TraceOptions;
  readonly #config: { deterministic?: boolean };
  /** The threads that were asked for; undefined once it is told that TensorFlow has others. */
  #threads: number | undefined;
  readonly #updates: RecordAll["updates"];
  readonly #onNotice: (line: string) => void;
  #disposed = false;
  /** Signatures without batch size: those seen, those that need a trace a size, and at which sizes one trace serves. */
  readonly #openKeys = new Set<string>();
  readonly #needSizes = new Set<string>();
  readonly #checks = new Map<string, BatchCheck>();

  constructor(
    fn: (...args: unknown[]) => unknown,
    { seed = 0, precision = "float32", freeze = false, threads, deterministic, onNotice = warnOnce }: CompileOptions,
    updates: RecordAll["updates"],
  ) {
    this.#fn = fn;
    this.#options = { seed, precision, freeze };
    this.#config = deterministic === undefined ? {} : { deterministic };
    this.#threads = threads;
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
    const { key, shapes, open, leaves, skeleton } = signatureOf(calls);
    const traceKey = { key: `${this.hasOverflowed} ${key}`, shapes };
    const known = this.traces.find(traceKey);
    if (known !== undefined) return { trace: known, leaves };
    const shared = calls.length === 1 ? this.#traceForAnyBatch(open, { leaves, skeleton }) : undefined;
    if (shared !== undefined) return { trace: shared, leaves };
    const trace = this.#trace({ leaves, skeleton });
    this.#tellThreads();
    this.#add(traceKey, trace);
    return { trace, leaves };
  }

  #tellThreads(): void {
    const told = otherThreads("compile", this.#threads);
    this.#threads = undefined;
    if (told !== undefined) this.#onNotice(told);
  }

  #add(key: TraceKey, trace: CompiledTrace): void {
    if (this.traces.add(key, trace))
      this.#onNotice(
        "A compiled function is traced anew for each value of a number, text or object among its arguments; give what changes as a tensor, or read it from a hyper.",
      );
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
    open: () => TraceKey,
    signature: { leaves: readonly Leaf[]; skeleton: unknown },
  ): CompiledTrace | undefined {
    const batch = batchOf(signature.leaves);
    if (!this.#options.freeze || batch === undefined || batch === 0) return undefined;
    const { key: openKey, shapes } = open();
    const isFirst = !this.#openKeys.has(openKey);
    this.#openKeys.add(openKey);
    if (isFirst || this.#needSizes.has(openKey)) return undefined;
    const key = { key: `any batch ${openKey}`, shapes: `any batch ${shapes}` };
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
      this.#add(key, trace);
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
