import * as tf from "@tensorflow/tfjs-core";
import { attr } from "./attrs.ts";
import { entryOf } from "./backend.ts";
import { DT } from "./dtypes.ts";
import { guardWrites } from "./guard.ts";
import { explainFailure } from "./explain.ts";
import { freeze } from "./freeze.ts";
import { graphDef, outputOf, reachable } from "./graph-node.ts";
import type { GraphNode, Ref } from "./graph-node.ts";
import { makeNative, toHost } from "./native-tensor.ts";
import { lowerPrecision } from "./precision.ts";
import { encode } from "./protos.ts";
import { releaseRuntime } from "./runtime.ts";
import type { Runtime } from "./runtime.ts";
import type { Plan, TraceSink } from "./session.ts";
import type { SessionVariable } from "./session-variables.ts";
import { fillSlots, Slot } from "./signature.ts";
import type { Leaf } from "./signature.ts";
import { mapLeaves } from "./structure.ts";
import { tensorflow } from "./tensorflow.ts";
import type { Handle } from "./tensorflow.ts";
import type { FedScalar, Trace } from "./trace.ts";
import { record } from "./tracing.ts";

/** How a function is traced. */
export interface TraceOptions {
  /** Seed of all random numbers drawn in the graph. */
  seed: number;
  /** The type that convolutions and matrix products, and what lies between them, compute in; variables stay float32. */
  precision: "float32" | "bfloat16" | "float16";
  /** Variables become constants with the values they have at the first run of a signature, for the fastest predictions. */
  freeze: boolean;
}

/** One trace of a function, imported into a session and ready to run. */
export class CompiledTrace {
  readonly leaves: readonly Leaf[];
  readonly outputs: { path: string; ref: Ref }[] = [];
  readonly variables: SessionVariable[];
  readonly written: ReadonlySet<SessionVariable>;
  readonly fed: readonly FedScalar[];
  readonly nodes: readonly GraphNode[];
  readonly graphBytes: number;
  readonly traceMs: number;
  readonly #runtime: Runtime;
  readonly #frozen: boolean;
  readonly #plan: Plan;
  readonly #result: unknown;
  readonly #afterRun: readonly (() => void)[];
  readonly #places: Map<string, GraphNode>;

  constructor(
    runtime: Runtime,
    fn: (...args: unknown[]) => unknown,
    leaves: readonly Leaf[],
    skeleton: unknown,
    { seed, counter, exact, precision, freeze: frozen }: TraceOptions & { counter: () => number; exact: boolean },
  ) {
    const start = performance.now();
    this.#runtime = runtime;
    this.#frozen = frozen;
    this.leaves = leaves.map((leaf) => ({ ...leaf, values: () => new Float32Array() }));
    const placeholders: GraphNode[] = [];
    const returned = new Set<tf.Tensor>();
    const { trace, result } = record(runtime.variables.backend, { seed, counter, exact }, (trace) => {
      const tensors = leaves.map((leaf) => {
        const node = trace.placeholder(`input_${leaf.path}`, leaf.dtype, leaf.shape);
        placeholders.push(node);
        const ref = { node, index: 0 };
        if (leaf.seen === leaf.dtype) return trace.tensor(ref);
        const attrs = { SrcT: attr.type(leaf.dtype), DstT: attr.type(leaf.seen) };
        return trace.tensor({ node: trace.add("Cast", attrs, [ref]), index: 0 });
      });
      const calls = fillSlots(skeleton, tensors) as unknown[][];
      const results = calls.map((args, call) => trace.inCall(call, () => fn(...args)));
      const result = mapLeaves(results, (value, path) => {
        if (!(value instanceof tf.Tensor)) return value;
        this.outputs.push({
          path: calls.length === 1 ? path.replace(/^0\.?/, "") : path,
          ref: fetchable(trace, trace.ref(value)),
        });
        returned.add(value);
        return new Slot(this.outputs.length - 1);
      });
      // What the function kept for its caller has been given.
      for (const value of returned) if (value.kept && !(value instanceof tf.Variable)) disposeTraced(trace, value);
      return result;
    });
    this.#result = result;
    const prefix = `t${runtime.traces++}`;
    const inputs = [...placeholders, ...trace.fed.map(({ node }) => node)];
    if (frozen) freeze(trace.variables.values(), [...this.outputs.map(({ ref }) => ref.node), ...trace.writes]);
    if (precision !== "float32") {
      const refs = this.outputs.map(({ ref }) => ref);
      const lowered = lowerPrecision(refs, trace.writes, DT[precision]);
      this.outputs.forEach((output, index) => (output.ref = lowered[index] as Ref));
    }
    guardWrites(trace.writes, [...this.outputs.map(({ ref }) => ref.node), ...trace.writes]);
    this.nodes = reachable([...inputs, ...this.outputs.map(({ ref }) => ref.node), ...trace.writes]);
    const kept = new Set(this.nodes);
    const used = [...trace.variables.values()].filter(({ handle }) => kept.has(handle));
    this.variables = used.map(({ variable }) => runtime.variables.of(variable));
    this.written = new Set(
      used.filter(({ writes }) => writes.length > 0).map(({ variable }) => runtime.variables.of(variable)),
    );
    used.forEach(({ handle }, index) => {
      handle.attrs["shared_name"] = attr.string((this.variables[index] as SessionVariable).key);
    });
    for (const node of this.nodes) node.name = `${prefix}/${node.name}`;
    this.#places = new Map(this.nodes.map((node) => [node.name, node]));
    runtime.session.import(this.nodes);
    this.graphBytes = encode("GraphDef", graphDef(this.nodes.filter(({ op }) => op !== "Const"))).length;
    for (const node of this.nodes) if (node.op === "Const") node.attrs = {};
    this.fed = trace.fed;
    this.#afterRun = trace.afterRun;
    this.#plan = runtime.session.plan(
      inputs.map((node) => ({ name: node.name, index: 0 })),
      this.outputs.map(({ ref }) => ({ name: ref.node.name, index: ref.index })),
      trace.writes.map((node) => node.name),
    );
    this.traceMs = performance.now() - start;
  }

  /** Runs once with the given arguments, when it is its turn; gives one result a call. */
  async run(leaves: readonly Leaf[], sink?: TraceSink): Promise<unknown[]> {
    const feeds = this.#feed(leaves);
    try {
      return await this.#runtime.session.enqueue(async (run) => {
        this.#runtime.variables.prepare(this.variables, this.written);
        return this.#give(await run(this.#plan, feeds, sink));
      });
    } catch (error) {
      throw explainFailure(error, this.#places);
    } finally {
      for (const tensor of feeds) tensorflow().TF_DeleteTensor(tensor);
    }
  }

  /** Runs once while JavaScript waits. */
  runNow(leaves: readonly Leaf[]): unknown[] {
    const feeds = this.#feed(leaves);
    try {
      this.#runtime.session.settle();
      this.#runtime.variables.prepare(this.variables, this.written);
      return this.#give(this.#runtime.session.runSync(this.#plan, feeds));
    } catch (error) {
      throw explainFailure(error, this.#places);
    } finally {
      for (const tensor of feeds) tensorflow().TF_DeleteTensor(tensor);
    }
  }

  /** Waits for its runs and frees what is its own. */
  async dispose(): Promise<void> {
    await this.#runtime.session.idle();
    this.#runtime.session.forget(this.#plan);
    if (this.#frozen) releaseRuntime(this.#runtime);
  }

  #feed(leaves: readonly Leaf[]): Handle[] {
    const feeds = leaves.map((leaf) => makeNative(leaf.dtype, leaf.shape, leaf.values()));
    for (const { node, read } of this.fed) {
      const { dtype } = outputOf({ node, index: 0 });
      feeds.push(makeNative(dtype, [], dtype === DT.int32 ? Int32Array.of(read()) : Float32Array.of(read())));
    }
    return feeds;
  }

  #give(fetched: readonly Handle[]): unknown[] {
    for (const after of this.#afterRun) after();
    const values = fetched.map((tensor) => {
      const value = toHost(tensor);
      tensorflow().TF_DeleteTensor(tensor);
      return value;
    });
    return mapLeaves(this.#result, (value) => (value instanceof Slot ? values[value.index] : value)) as unknown[];
  }
}

/** TensorFlow refuses to fetch what is fed. */
function fetchable(trace: Trace, ref: Ref): Ref {
  if (ref.node.op !== "Placeholder") return ref;
  return { node: trace.add("Identity", { T: attr.type(outputOf(ref).dtype) }, [ref]), index: 0 };
}

function disposeTraced(trace: Trace, value: tf.Tensor): void {
  if (!value.isDisposed && entryOf(trace.backend, value.dataId)?.ref !== undefined) value.dispose();
}
