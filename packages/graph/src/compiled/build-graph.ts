import * as tf from "@tensorflow/tfjs-core";
import { attr } from "../ir/attrs.ts";
import { entryOf } from "../tfjs/backend.ts";
import type { Backend } from "../tfjs/backend.ts";
import { GraphError } from "../graph-error.ts";
import { outputOf, reachable } from "../ir/graph-node.ts";
import type { GraphNode, Ref } from "../ir/graph-node.ts";
import { fillSlots, Slot } from "../values/signature.ts";
import type { Leaf } from "../values/signature.ts";
import { runPasses } from "../passes/index.ts";
import type { RewriteDescription } from "../passes/index.ts";
import { rootsOf } from "../passes/pass.ts";
import { mapLeaves } from "../values/nested.ts";
import type { Trace } from "../trace/trace.ts";
import type { TracedVariable } from "../trace/traced-variable.ts";
import { losesNan } from "../session/loses-nan.ts";
import { record } from "../record/record.ts";
import type { RecordOptions } from "../record/record.ts";

/** How a function is traced. */
export interface TraceOptions {
  /** Seed of all random numbers drawn in the graph. */
  seed: number;
  /** The type in which convolutions, matrix products and the ops between them compute; variables stay float32. */
  precision: "float32" | "bfloat16" | "float16";
  /** Turns variables into constants with their values at the first run of a signature, for the fastest predictions. */
  freeze: boolean;
}

/** How calls are recorded. */
export type RecordAll = TraceOptions & RecordOptions;

/** A recorded function: its rewritten graph, its inputs and its outputs. */
export interface Recorded {
  trace: Trace;
  leaves: readonly Leaf[];
  /** One placeholder per leaf. */
  placeholders: readonly GraphNode[];
  outputs: readonly { path: string; ref: Ref }[];
  /** True if the last output is half the sum of squares of the watched gradients. */
  isWatched: boolean;
  /** What the calls returned, with slots for tensors. */
  result: unknown;
  /** All nodes that are needed, inputs first. */
  nodes: readonly GraphNode[];
  /** Variables in use, in the order of their first use. */
  variables: readonly TracedVariable[];
  /** True if a failing run has written no variable. */
  isSafe: boolean;
  /** What rules and passes changed. */
  rewrites: readonly RewriteDescription[];
}

/** Records one or several calls of a function, in order. */
export function recordCalls(
  backend: Backend,
  fn: (...args: unknown[]) => unknown,
  { leaves, skeleton }: { leaves: readonly Leaf[]; skeleton: unknown },
  { precision, freeze, ...options }: RecordAll,
): Recorded {
  const placeholders: GraphNode[] = [];
  const outputs: { path: string; ref: Ref }[] = [];
  const returned = new Set<tf.Tensor>();
  const { trace, result } = record(backend, options, (trace) => {
    const tensors = leaves.map((leaf) => {
      const node = trace.placeholder(`input_${leaf.path}`, leaf.dtype, leaf.shape);
      placeholders.push(node);
      const ref = { node, index: 0 };
      if (leaf.seen === leaf.dtype) return trace.tensor(ref);
      const attrs = { SrcT: attr.type(leaf.dtype), DstT: attr.type(leaf.seen) };
      return trace.tensor({ node: trace.add("Cast", attrs, [ref]), index: 0 });
    });
    const calls = fillSlots(skeleton, tensors) as unknown[][];
    const slotted = calls.map((args, call) => {
      trace.numbers.startCall(call);
      const returns = settled(fn(...args));
      // Before the next call: a returned variable has its value after this call.
      return mapLeaves(
        returns,
        (value, path) => {
          if (!(value instanceof tf.Tensor)) return value;
          outputs.push({ path, ref: fetchable(trace, trace.ref(value)) });
          returned.add(value);
          return new Slot(outputs.length - 1);
        },
        // With a single call, results are named without the call's number.
        calls.length === 1 ? "" : String(call),
      );
    });
    // The caller now owns the tensors that the function protected with `tf.keep`.
    for (const value of returned) if (value.kept && !(value instanceof tf.Variable)) disposeTraced(trace, value);
    const squares = trace.squareSum();
    if (squares !== undefined) outputs.push({ path: "squares", ref: squares });
    return slotted;
  });
  const graph = { outputs, writes: trace.writes, variables: [...trace.variables.values()], isSafe: true };
  const settings = {
    precision,
    freeze,
    exact: options.exact,
    isUsingGpu: backend.isUsingGpuDevice,
    losesNan: losesNan(),
  };
  const rewrites = options.isRaw === true ? [] : runPasses(graph, settings, trace.rewrites);
  const nodes = reachable([...placeholders, ...trace.numbers.all.map(({ node }) => node), ...rootsOf(graph)]);
  const needed = new Set(nodes);
  const variables = [...trace.variables.values()].filter(({ handle }) => needed.has(handle));
  const isWatched = trace.squares.length > 0;
  return { trace, leaves, placeholders, outputs, isWatched, result, nodes, variables, isSafe: graph.isSafe, rewrites };
}

/** Refuses the promise of an async function, which continues after the trace has ended. */
function settled(result: unknown): unknown {
  if (!(result instanceof Promise)) return result;
  // The promise's outcome no longer matters.
  result.catch(() => undefined);
  throw new GraphError(
    "The function to compile returned a promise; make it synchronous, and await what it needs before the call.",
  );
}

/** TensorFlow refuses to fetch a node that is fed, so an input is passed through an identity. */
function fetchable(trace: Trace, ref: Ref): Ref {
  if (ref.node.op !== "Placeholder") return ref;
  return { node: trace.add("Identity", { T: attr.type(outputOf(ref).dtype) }, [ref]), index: 0 };
}

function disposeTraced(trace: Trace, value: tf.Tensor): void {
  if (!value.isDisposed && entryOf(trace.backend, value.dataId)?.ref !== undefined) value.dispose();
}
