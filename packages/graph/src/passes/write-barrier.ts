import { makeNode } from "../ir/builder.ts";
import { reachable } from "../ir/graph-node.ts";
import type { GraphNode } from "../ir/graph-node.ts";
import { countChange } from "../ir/rewrite.ts";
import type { Changes } from "../ir/rewrite.ts";
import { rootsOf } from "./pass.ts";
import type { Pass, PassGraph } from "./pass.ts";

/** Ops that fail on some values; every other op can only fail before a run begins. */
const fallible =
  /^(Collective|Gather|Resource(Gather|Scatter)|Scatter|TensorScatter|Sparse|UnsortedSegment|Segment|CheckNumerics|Assert|Decode|Where|Cholesky|Matrix|Svd|Qr|Multinomial|Range|ConcatV2Offset|Reverse|SplitV|Slice|StridedSlice|Pad|Reshape|InvertPermutation|CropAndResize|NonMax|OneHot|LinSpace)/;

/** Ops of `fallible` that only fail on sizes and axes. If these are constants, tracing has checked them. */
const failsOnSizes = /^(Range|Reverse|SplitV|Slice|StridedSlice|Pad|Reshape|OneHot|LinSpace)/;

/**
 * Makes all writes wait for every op that may still fail, so that a run that throws has written nothing. On a GPU any
 * op may run out of memory, so writes wait for all values to be written. A fallible op that itself needs a write (in
 * the second of several steps in one run) cannot be waited for: then the graph is not safe.
 */
export const writeBarrier: Pass = {
  name: "write-barrier",
  description: "writes to variables wait for the ops that may still fail",
  when: () => true,
  run(graph, { isUsingGpu }) {
    const changes: Changes = {};
    const { before, isSafe } = fallibleOps(graph, isUsingGpu);
    graph.isSafe = isSafe;
    if (before.length === 0) return changes;
    const barrier = makeNode("barrier", "NoOp", { control: before });
    for (const write of graph.writes) {
      countChange(changes, write.op);
      write.control.push(barrier);
    }
    return changes;
  },
};

/** The ops that writes must wait for, and whether these are all fallible ops. */
function fallibleOps(graph: PassGraph, everything: boolean): { before: GraphNode[]; isSafe: boolean } {
  const { writes } = graph;
  const before: GraphNode[] = [];
  let isSafe = true;
  if (writes.length === 0) return { before, isSafe };
  const written = new Set(writes);
  const after = new Set<GraphNode>();
  const sourcesOfWrites = new Set(writes.flatMap(({ inputs }) => inputs.map((input) => input.node)));
  for (const node of reachable(rootsOf(graph))) {
    const sources = [...node.inputs.map((input) => input.node), ...node.control];
    if (written.has(node) || sources.some((source) => after.has(source))) {
      after.add(node);
      if (mayFail(node)) isSafe = false;
    } else if (mayFail(node) || (everything && sourcesOfWrites.has(node) && node.op !== "VarHandleOp"))
      before.push(node);
  }
  return { before, isSafe };
}

function mayFail(node: GraphNode): boolean {
  if (!fallible.test(node.op)) return false;
  return !failsOnSizes.test(node.op) || node.inputs.slice(1).some((input) => input.node.op !== "Const");
}
