import { describeOutput, elementsOf, outputOf } from "../ir/graph-node.ts";
import { eagerOpMs } from "./eager-op-time.ts";
import type { CompiledTrace } from "./compiled-trace.ts";
import type { RewriteDescription } from "../passes/index.ts";
import { widthOf } from "../values/dtypes.ts";

/** Describes one trace of a function. */
export interface TraceDescription {
  /** Inputs as "0.data: float32 [32, 28, 28, 1]". */
  inputs: string[];
  outputs: string[];
  /** Names of the variables read, with type and shape; written ones are marked "*". */
  variables: string[];
  /** Numbers that are fed at each run. */
  fed: string[];
  /** Nodes by op, most frequent first. */
  ops: Record<string, number>;
  nodes: number;
  /** Ops that tfjs starts at each call where the function runs eagerly. */
  eagerOps: number;
  /**
   * Nodes of the whole session, which functions that use the same variables share. The time of the first run of each
   * signature grows with it.
   */
  sessionNodes: number;
  /** The rules and passes that ran, in order, and how many ops each changed. */
  rewrites: RewriteDescription[];
  /** Bytes of the graph, which holds no weights. */
  graphBytes: number;
  variableBytes: number;
  /** Milliseconds that tracing and importing took. */
  traceMs: number;
  /** Milliseconds of the first run, in which TensorFlow prepares the graph; undefined before it has ended. */
  firstRunMs: number | undefined;
  /** The number of calls so far. */
  runs: number;
  /**
   * Estimated number of calls from which compiling is faster than running eagerly: the time of tracing and of the first run, without that in
   * which other programs had the processors, divided by the measured time that tfjs takes to start `eagerOps` ops. Ops whose own work
   * takes longer than their start make it pay sooner. Undefined before the first run, and where TensorFlow is not
   * the active backend.
   */
  breakEvenRuns: number | undefined;
  /** A sentence if compiling has not paid yet; empty if it has. */
  advice: string;
}

export function describeTrace(trace: CompiledTrace): TraceDescription {
  const counts = new Map<string, number>();
  for (const { op } of trace.nodes) counts.set(op, (counts.get(op) ?? 0) + 1);
  const { traceMs, firstRunMs, runs, kernels, calls } = trace;
  const breakEvenRuns = breakEvenOf(trace);
  return {
    inputs: trace.leaves.map(({ path, dtype, shape }) => `${path}: ${describeOutput({ dtype, shape })}`),
    outputs: trace.outputs.map(({ path, ref }) => `${path === "" ? "result" : path}: ${describeOutput(outputOf(ref))}`),
    variables: trace.variables.map(
      (v) =>
        `${v.variable.name}${trace.written.has(v) ? "*" : ""}: ${describeOutput({ dtype: v.dtype, shape: v.shape })}`,
    ),
    fed: trace.fed.map(({ node }) => node.name),
    ops: Object.fromEntries([...counts].toSorted(([, a], [, b]) => b - a)),
    nodes: trace.nodes.length,
    eagerOps: Math.round(kernels / calls),
    sessionNodes: trace.runtime.session.size,
    rewrites: trace.rewrites.map((rewrite) => ({ ...rewrite, changes: { ...rewrite.changes } })),
    graphBytes: trace.graphBytes,
    variableBytes: trace.variables.reduce((sum, v) => sum + elementsOf(v) * widthOf(v.dtype), 0),
    traceMs,
    firstRunMs,
    runs,
    breakEvenRuns,
    advice:
      breakEvenRuns === undefined || runs >= breakEvenRuns
        ? ""
        : `Compiling pays from about ${breakEvenRuns} calls on, and ${runs} came so far; run eagerly if few more will come.`,
  };
}

function breakEvenOf({ kernels, calls, startMs, firstRunMs }: CompiledTrace): number | undefined {
  const opMs = eagerOpMs();
  if (opMs === undefined || firstRunMs === undefined) return undefined;
  return Math.ceil((startMs * calls) / (Math.max(kernels, 1) * opMs));
}
