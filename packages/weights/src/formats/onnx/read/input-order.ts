import { channelsLast, range } from "./arrange.ts";
import type { OnnxFile, OnnxValue } from "./file.ts";
import type { OnnxNode } from "./node.ts";

/** Operators whose first input has its channels second. */
const mapOperators = new Set([
  "AveragePool",
  "BatchNormalization",
  "Conv",
  "ConvTranspose",
  "DepthToSpace",
  "GlobalAveragePool",
  "GlobalMaxPool",
  "GroupNormalization",
  "InstanceNormalization",
  "LRN",
  "MaxPool",
  "PRelu",
  "QLinearConv",
  "Resize",
  "SpaceToDepth",
  "Upsample",
]);

/** Operators whose first input has the time first, and their initial states the directions: the batch is second. */
const sequenceOperators = new Set(["GRU", "LSTM", "RNN"]);

/** True if a node is one whose sequences have the batch second. */
export function isTimeFirst({ op, domain, attributes }: OnnxNode): boolean {
  return domain === "" && sequenceOperators.has(op) && attributes["layout"] !== 1;
}

/** Operators that end the search: they change the axes in a way that says nothing of the channels. */
const ends = new Set(["Flatten", "Gather", "MatMul", "Gemm", "Reshape", "Shape", "Squeeze", "Unsqueeze", "Einsum"]);

/**
 * The order as the file has it, or with the channels last. A file that also swaps height and width before its
 * convolutions takes its input unswapped: its users have pictures of height, width and channels.
 */
function knownOrder(order: readonly number[]): number[] {
  const rank = order.length;
  return order.at(-1) === 1 ? channelsLast(rank) : range(0, rank);
}

/**
 * The order of a model's input: which of ONNX' axes each axis of the tensor is. An input that convolutions take as it is
 * has its channels first, and the model takes it with its channels last; an input that is transposed for them stays. A
 * sequence that a recurrent layer takes with the time first is taken with the batch first.
 */
export function inputOrder({ nodes }: OnnxFile, input: OnnxValue): number[] {
  const rank = input.shape!.length;
  const identity = range(0, rank);
  if (rank < 3 || rank > 5) return identity;
  const users = new Map<string, OnnxNode[]>();
  for (const node of nodes) for (const name of node.inputs) users.set(name, [...(users.get(name) ?? []), node]);
  const seen = new Set<string>();
  let queue: { name: string; order: readonly number[] }[] = [{ name: input.name, order: identity }];
  while (queue.length > 0) {
    const next: typeof queue = [];
    for (const { name, order } of queue) {
      for (const node of users.get(name) ?? []) {
        if (mapOperators.has(node.op)) return knownOrder(channelsLast(rank).map((axis) => order[axis]!));
        if (isTimeFirst(node) && rank === 3) return [1, 0, 2].map((axis) => order[axis]!);
        if (sequenceOperators.has(node.op) || ends.has(node.op)) continue;
        const perm = node.attributes["perm"];
        const turned =
          node.op === "Transpose" && Array.isArray(perm) ? perm.map((axis) => order[axis as number] ?? 0) : order;
        for (const output of node.outputs) {
          if (seen.has(output)) continue;
          seen.add(output);
          next.push({ name: output, order: turned });
        }
      }
    }
    queue = next;
  }
  const [, first] = input.shape!;
  const last = input.shape!.at(-1);
  const isFirst = rank >= 4 && (first === 1 || first === 3) && last !== 1 && last !== 3;
  return isFirst ? channelsLast(rank) : identity;
}
