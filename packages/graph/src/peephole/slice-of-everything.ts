import { constantInts } from "../ir/constants.ts";
import { outputOf } from "../ir/graph-node.ts";
import type { PeepholeRule } from "./rule.ts";

/**
 * tfjs-layers' `predict` slices the batch out of its inputs even if they are one batch. That would fix the batch size
 * of a SavedModel.
 */
export const sliceOfEverything: PeepholeRule = {
  name: "slice-of-everything",
  description: "a slice that takes the whole tensor is left out",
  ops: ["Slice"],
  replace: ({ inputs: [x, begin, size] }) => {
    if (x === undefined || begin === undefined || size === undefined) return undefined;
    const { shape } = outputOf(x);
    const isAll = constantInts(size)?.every((length, axis) => length === shape[axis] || length === -1);
    return isAll === true && constantInts(begin)?.every((at) => at === 0) === true ? x : undefined;
  },
};
