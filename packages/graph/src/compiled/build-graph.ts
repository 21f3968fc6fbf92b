import * as tf from "@tensorflow/tfjs-core";
import { attr } from "../ir/attrs.ts";
import { entryOf } from "../tfjs/backend.ts";
import type { Backend } from "../tfjs/backend.ts";
import { turnDepthwiseGradients } from "../passes/depthwise-gradient-as-convolution.ts";
import { DT } from "../values/dtypes.ts";
import { freeze } from "../passes/freeze.ts";
import { GraphError } from "../graph-error.ts";
import { outputOf, reachable } from "../ir/graph-node.ts";
import type { GraphNode, Ref } from "../ir/graph-node.ts";
import { guardWrites } from "../passes/write-barrier.ts";
import { lowerPrecision } from "../passes/mixed-precision.ts";
import { fillSlots, Slot } from "../values/signature.ts";
import type { Leaf } from "../values/signature.ts";
import { cropToPoints, multiplyPoints } from "../passes/convolution-as-matmul.ts";
import { spareLeakyRelus } from "../passes/leaky-relu-as-select.ts";
import { mapLeaves } from "../values/nested.ts";
import type { Trace } from "../trace/trace.ts";
import type { TracedVariable } from "../trace/traced-variable.ts";
import { record } from "../record/record.ts";
import type { RecordOptions } from "../record/record.ts";

/** How a function is traced. */
export interface TraceOptions {
  /** Seed of all random numbers drawn in the graph. */
  seed: number;
  /** The type that convolutions and matrix products, and what lies between them, compute in; variables stay float32. */
  precision: "float32" | "bfloat16" | "float16";
  /** Variables become constants with the values they have at the first run of a signature, for the fastest predictions. */
  freeze: boolean;
}

/** How calls are recorded. */
export type RecordAll = TraceOptions & RecordOptions;

/** What recording a function gives: its graph, with all rewriting done, and what goes in and comes out. */
export interface Recorded {
  trace: Trace;
  leaves: readonly Leaf[];
  /** One placeholder a leaf. */
  placeholders: readonly GraphNode[];
  outputs: readonly { path: string; ref: Ref }[];
  /** The last output is half the sum of the gradients' squares that are watched. */
  isWatched: boolean;
  /** What the calls returned, with slots for tensors. */
  result: unknown;
  /** All that is needed, inputs first. */
  nodes: readonly GraphNode[];
  /** Variables in use, in the order of their first use. */
  variables: readonly TracedVariable[];
  /** A run that fails has written nothing. */
  isSafe: boolean;
}

/** Records some calls of a function, one after the other. */
export function recordCalls(
  backend: Backend,
  fn: (...args: unknown[]) => unknown,
  { leaves, skeleton }: { leaves: readonly Leaf[]; skeleton: unknown },
  { precision, freeze: frozen, ...options }: RecordAll,
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
      const returns = trace.inCall(call, () => settled(fn(...args)));
      // Before the next call: a variable that is returned has its value after this one.
      return mapLeaves(
        returns,
        (value, path) => {
          if (!(value instanceof tf.Tensor)) return value;
          outputs.push({ path, ref: fetchable(trace, trace.ref(value)) });
          returned.add(value);
          return new Slot(outputs.length - 1);
        },
        // A single call's results are named without its number.
        calls.length === 1 ? "" : String(call),
      );
    });
    // What the function kept for its caller has been given.
    for (const value of returned) if (value.kept && !(value instanceof tf.Variable)) disposeTraced(trace, value);
    const squares = trace.squareSum();
    if (squares !== undefined) outputs.push({ path: "squares", ref: squares });
    return slotted;
  });
  const { writes } = trace;
  if (frozen) freeze(trace.variables.values(), rootsOf(outputs, writes));
  if (!options.exact) {
    spareLeakyRelus(rootsOf(outputs, writes));
    // Frozen convolutions stay such: they are fused with what follows, and keep their weights in the kernels' own layout.
    if (frozen) cropToPoints(rootsOf(outputs, writes));
    else multiplyPoints(rootsOf(outputs, writes), { is16Bit: precision !== "float32" });
    if (precision !== "float32") turnDepthwiseGradients(rootsOf(outputs, writes));
  }
  if (precision !== "float32") {
    const refs = outputs.map(({ ref }) => ref);
    const lowered = lowerPrecision(refs, writes, DT[precision]);
    outputs.forEach((output, index) => (output.ref = lowered[index] as Ref));
  }
  const isSafe = guardWrites(writes, rootsOf(outputs, writes), { everything: backend.isUsingGpuDevice });
  const nodes = reachable([...placeholders, ...trace.fed.map(({ node }) => node), ...rootsOf(outputs, writes)]);
  const kept = new Set(nodes);
  const variables = [...trace.variables.values()].filter(({ handle }) => kept.has(handle));
  return {
    trace,
    leaves,
    placeholders,
    outputs,
    isWatched: trace.squares.length > 0,
    result,
    nodes,
    variables,
    isSafe,
  };
}

/** Refuses what an async function returns: it goes on after the trace has ended. */
function settled(result: unknown): unknown {
  if (!(result instanceof Promise)) return result;
  // What becomes of it no longer matters.
  result.catch(() => undefined);
  throw new GraphError(
    "The function to compile returned a promise; make it synchronous, and await what it needs before the call.",
  );
}

function rootsOf(outputs: readonly { ref: Ref }[], writes: readonly GraphNode[]): GraphNode[] {
  return [...outputs.map(({ ref }) => ref.node), ...writes];
}

/** TensorFlow refuses to fetch what is fed. */
function fetchable(trace: Trace, ref: Ref): Ref {
  if (ref.node.op !== "Placeholder") return ref;
  return { node: trace.add("Identity", { T: attr.type(outputOf(ref).dtype) }, [ref]), index: 0 };
}

function disposeTraced(trace: Trace, value: tf.Tensor): void {
  if (!value.isDisposed && entryOf(trace.backend, value.dataId)?.ref !== undefined) value.dispose();
}
