import { releaseFreedMemory } from "@convkit/engine/internal";
import type * as tf from "@tensorflow/tfjs-core";
import { attr } from "../ir/attrs.ts";
import { DT } from "../values/dtypes.ts";
import { explainFailure } from "./explain-failure.ts";
import { ownTime } from "./own-time.ts";
import { constantOf } from "../ir/constants.ts";
import { graphDef, outputOf } from "../ir/graph-node.ts";
import type { GraphNode } from "../ir/graph-node.ts";
import { VariableSnapshot } from "../session/variable-snapshot.ts";
import { makeNative, takeHost } from "../native/tensor.ts";
import { encode } from "../native/protos.ts";
import { recordCalls } from "./build-graph.ts";
import type { RecordAll, Recorded } from "./build-graph.ts";
import type { AnyBatch } from "./any-batch.ts";
import { privateRuntime, release, runtimeFor } from "../session/runtime.ts";
import type { Runtime, RuntimeUser } from "../session/runtime.ts";
import { gainsNothing } from "../session/config.ts";
import type { SessionConfig } from "../session/config.ts";
import type { Plan, TraceSink } from "../session/session.ts";
import type { SessionVariable } from "../session/variable.ts";
import { Slot } from "../values/signature.ts";
import type { Leaf } from "../values/signature.ts";
import { mapLeaves } from "../values/nested.ts";
import { tensorflow } from "../native/c-api.ts";
import type { Handle } from "../native/c-api.ts";
import { GraphError } from "../graph-error.ts";
import type { Backend } from "../tfjs/backend.ts";
import type { FedScalar } from "../trace/fed-numbers.ts";
import type { Trace } from "../trace/trace.ts";

/** Where a trace is compiled. */
export interface Place {
  readonly backend: Backend;
  readonly config: SessionConfig;
  /** The runtime of another trace of the function. */
  readonly home?: Runtime;
}

/** The number of traces so far, in all sessions: their names stay unique when they move. */
let count = 0;

/** One trace of a function, imported into a session and ready to run. */
export class CompiledTrace implements RuntimeUser {
  runtime: Runtime;
  readonly leaves: readonly Leaf[];
  readonly outputs: Recorded["outputs"];
  readonly variables: SessionVariable[];
  readonly written: ReadonlySet<SessionVariable>;
  readonly fed: readonly FedScalar[];
  /** The number of calls that one run makes. */
  readonly calls: number;
  readonly nodes: readonly GraphNode[];
  readonly rewrites: Recorded["rewrites"];
  graphBytes = 0;
  /** Kernels that tfjs starts where the function runs eagerly, in all calls of a run. */
  readonly kernels: number;
  readonly traceMs: number;
  /** Milliseconds of tracing and of the first run that were this process's own. */
  startMs: number;
  /** The time of the first run, in which TensorFlow optimizes the graph; undefined before it has ended. */
  firstRunMs: number | undefined;
  runs = 0;
  /** In a watched trace: true if the square of a gradient was too large for float32. */
  hasOverflowed = false;
  readonly #frozen: boolean;
  readonly #plan: Plan;
  readonly #result: unknown;
  readonly #afterRun: readonly (() => void)[];
  readonly #outdated: readonly (() => boolean)[];
  /** The `trainable` flags of the function's variables at the time of tracing; the gradients depend on them. */
  readonly #trainable: ReadonlyMap<tf.Variable, boolean>;
  #constantBytes = 0;
  readonly #places = new Map<string, GraphNode>();
  /** Set only for graphs whose failing run may have written some variables. */
  readonly #snapshot: VariableSnapshot | undefined;

  constructor(
    { backend, config, home }: Place,
    fn: (...args: unknown[]) => unknown,
    signature: { leaves: readonly Leaf[]; skeleton: unknown },
    options: RecordAll,
    anyBatch?: AnyBatch,
  ) {
    const [start, own] = [performance.now(), ownTime()];
    const recorded = anyBatch?.recorded ?? recordCalls(backend, fn, signature, options);
    const { trace, placeholders, outputs, variables } = recorded;
    const { nodes } = anyBatch ?? recorded;
    if (trace.lasting.length > 0) checkMadeOnce(trace, () => recordCalls(backend, fn, signature, options));
    this.#frozen = options.freeze;
    this.leaves = signature.leaves.map((leaf) => {
      const shape = anyBatch === undefined ? leaf.shape : [-1, ...leaf.shape.slice(1)];
      return { ...leaf, shape, values: () => new Float32Array() };
    });
    this.outputs = recorded.isWatched ? outputs.slice(0, -1) : outputs;
    this.nodes = nodes;
    this.rewrites = recorded.rewrites;
    this.fed = trace.numbers.all;
    this.kernels = trace.kernelCount;
    this.#result = recorded.result;
    this.calls = (recorded.result as unknown[]).length;
    this.#afterRun = trace.afterRun;
    this.#outdated = trace.outdated;
    this.#trainable = new Map([...trace.variables.keys()].map((variable) => [variable, trace.wasTrainable(variable)]));
    const used = variables.map(({ variable }) => variable);
    const isUnoptimized = gainsNothing(nodes);
    this.runtime = options.freeze
      ? privateRuntime(config, backend)
      : runtimeFor({ ...config, ...(isUnoptimized && { isUnoptimized }) }, backend, used, home);
    this.runtime.users.add(this);
    try {
      this.variables = this.runtime.variables.of(used);
      this.written = new Set(this.variables.filter((_, index) => variables[index]!.writes.length > 0));
      this.#snapshot = this.#import({ ...recorded, nodes });
      this.#plan = this.runtime.session.plan(
        [...placeholders, ...this.fed.map(({ node }) => node)].map((node) => ({ name: node.name, index: 0 })),
        outputs.map(({ ref }) => ({ name: ref.node.name, index: ref.index })),
        trace.writes.map((node) => node.name),
      );
    } catch (error) {
      void release(this, 1);
      throw error;
    }
    this.traceMs = performance.now() - start;
    this.startMs = own();
  }

  /** Names the nodes uniquely and imports them; makes the snapshot that the graph needs. */
  #import({ nodes, variables, isSafe }: Recorded): VariableSnapshot | undefined {
    this.variables.forEach(({ key }, index) => (variables[index]!.handle.attrs["shared_name"] = attr.string(key)));
    const prefix = `t${count++}`;
    for (const node of nodes) {
      node.name = `${prefix}/${node.name}`;
      this.#places.set(node.name, node);
    }
    this.runtime.session.import(nodes);
    this.graphBytes = encode("GraphDef", graphDef(nodes.filter(({ op }) => op !== "Const"))).length;
    for (const node of nodes) {
      this.#constantBytes += constantOf(node)?.byteLength ?? 0;
      if (node.op === "Const") node.attrs = {};
    }
    return isSafe ? undefined : new VariableSnapshot(this, this.written, `${prefix}/snapshot`);
  }

  /** True if the function must be traced anew, because an object that the graph uses was replaced. */
  get isOutdated(): boolean {
    return this.#outdated.some((check) => check());
  }

  /** Whether the same variables are trainable as when the function was traced. */
  get isAsTrainable(): boolean {
    for (const [variable, trainable] of this.#trainable) if (variable.trainable !== trainable) return false;
    return true;
  }

  /** Queues one run with the given arguments; returns one result per call. `before` may set each call's numbers. */
  async run(
    leaves: readonly Leaf[],
    { sink, before }: { sink?: TraceSink; before?: (call: number) => void } = {},
  ): Promise<unknown[]> {
    const feeds = this.#feed(leaves, before);
    try {
      return await this.runtime.session.queue.enqueue(async () => {
        this.#prepare();
        const [start, own] = [performance.now(), ownTime()];
        const running = this.runtime.session.run(this.#plan, feeds, sink);
        const fetched = await running.catch((error: unknown) => this.#undo(error));
        return this.#give(fetched, performance.now() - start, own);
      });
    } catch (error) {
      throw explainFailure(error, this.#places);
    } finally {
      for (const tensor of feeds) tensorflow().TF_DeleteTensor(tensor);
    }
  }

  /** Runs once and blocks JavaScript. */
  runNow(leaves: readonly Leaf[]): unknown[] {
    const feeds = this.#feed(leaves);
    try {
      this.runtime.session.queue.settle();
      const [start, own] = [performance.now(), ownTime()];
      const fetched = this.#runNow(feeds);
      return this.#give(fetched, performance.now() - start, own);
    } catch (error) {
      throw explainFailure(error, this.#places);
    } finally {
      for (const tensor of feeds) tensorflow().TF_DeleteTensor(tensor);
    }
  }

  /** Waits for pending runs and frees this trace's resources. */
  async dispose(): Promise<void> {
    await this.runtime.session.queue.idle();
    this.runtime.session.forget(this.#plan);
    this.#snapshot?.dispose();
    await release(this, 1 + this.#constantBytes / 2 ** 20);
  }

  /** Waits for pending runs and copies the variables' values to tfjs. */
  async sync(): Promise<void> {
    await this.runtime.session.queue.idle();
    this.runtime.variables.refresh(this.variables);
  }

  /** Brings the variables up to date. */
  #prepare(): void {
    this.runtime.variables.prepare(this.variables, this.written);
    this.#snapshot?.take();
  }

  /** Restores the variables that a failed run may have written. */
  #undo(error: unknown): never {
    if (this.#snapshot !== undefined) {
      this.#snapshot.restore();
      this.runtime.variables.forgetCopies(this.written);
    }
    throw error;
  }

  #runNow(feeds: readonly Handle[]): Handle[] {
    this.#prepare();
    try {
      return this.runtime.session.runSync(this.#plan, feeds);
    } catch (error) {
      return this.#undo(error);
    }
  }

  #feed(leaves: readonly Leaf[], before?: (call: number) => void): Handle[] {
    const feeds = leaves.map((leaf) => makeNative(leaf.dtype, leaf.shape, leaf.values()));
    let reached = -1;
    for (const { node, call, read } of this.fed) {
      // The fed numbers lie in the order of the calls.
      for (; reached < call; reached++) before?.(reached + 1);
      const { dtype } = outputOf({ node, index: 0 });
      feeds.push(makeNative(dtype, [], dtype === DT.int32 ? Int32Array.of(read()) : Float32Array.of(read())));
    }
    return feeds;
  }

  #give(fetched: readonly Handle[], milliseconds: number, own: () => number): unknown[] {
    for (const after of this.#afterRun) after();
    // In the first run TensorFlow's optimizer copies constants several times, and frees most copies.
    if (this.#frozen && this.runs === 0) releaseFreedMemory();
    if (this.firstRunMs === undefined) {
      this.firstRunMs = milliseconds;
      this.startMs += own();
    }
    this.runs += this.calls;
    const values = fetched.map(takeHost);
    if (values.length > this.outputs.length) this.hasOverflowed ||= !Number.isFinite(values.at(-1)?.item());
    return mapLeaves(this.#result, (value) => (value instanceof Slot ? values[value.index] : value)) as unknown[];
  }
}

/**
 * Refuses a function that makes variables or optimizers at every call: the graph would keep using those from the trace.
 */
function checkMadeOnce({ lasting }: Trace, recordAgain: () => Recorded): void {
  const again = recordAgain().trace.lasting;
  const [first] = again;
  if (first === undefined) return;
  for (const { variable } of [...lasting, ...again]) variable?.dispose();
  throw new GraphError(
    `The compiled function makes ${first.what} at every call${first.at}, and a graph would go on with that of the first; make it outside, or once.`,
  );
}
