import { reachable } from "../ir/graph-node.ts";
import type { GraphNode } from "../ir/graph-node.ts";

/** Ops that fail on some values; all others fail, if at all, before a run has begun. */
const fallible =
  /^(Gather|Resource(Gather|Scatter)|Scatter|TensorScatter|Sparse|UnsortedSegment|Segment|CheckNumerics|Assert|Decode|Where|Cholesky|Matrix|Svd|Qr|Multinomial|Range|ConcatV2Offset|Reverse|SplitV|Slice|StridedSlice|Pad|Reshape|InvertPermutation|CropAndResize|NonMax|OneHot|LinSpace)/;

/** Ops of that list whose failure depends on numbers that are constants in nearly every graph, and so are checked when traced. */
const shapely = /^(Range|Reverse|SplitV|Slice|StridedSlice|Pad|Reshape|OneHot|LinSpace)/;

/**
 * Makes all writes wait for whatever may still fail, so that a run that throws has written nothing. False where something
 * that may fail itself depends on a write (in the second of several steps in one run) and cannot be waited for. With
 * `everything`, writes wait for all that is to be written: on a GPU any op may fail for want of memory.
 */
export function guardWrites(
  writes: readonly GraphNode[],
  roots: readonly GraphNode[],
  { everything }: { everything: boolean },
): boolean {
  if (writes.length === 0) return true;
  const written = new Set(writes);
  const after = new Set<GraphNode>();
  const waits: GraphNode[] = [];
  let isSafe = true;
  const sourcesOfWrites = new Set(writes.flatMap(({ inputs }) => inputs.map((input) => input.node)));
  for (const node of reachable(roots)) {
    const sources = [...node.inputs.map((input) => input.node), ...node.control];
    if (written.has(node) || sources.some((source) => after.has(source))) {
      after.add(node);
      if (mayFail(node)) isSafe = false;
    } else if (mayFail(node) || (everything && sourcesOfWrites.has(node) && node.op !== "VarHandleOp"))
      waits.push(node);
  }
  if (waits.length === 0) return isSafe;
  const barrier: GraphNode = { name: "barrier", op: "NoOp", inputs: [], control: waits, attrs: {}, outputs: [] };
  for (const write of writes) write.control.push(barrier);
  return isSafe;
}

function mayFail(node: GraphNode): boolean {
  if (!fallible.test(node.op)) return false;
  return !shapely.test(node.op) || node.inputs.slice(1).some((input) => input.node.op !== "Const");
}
