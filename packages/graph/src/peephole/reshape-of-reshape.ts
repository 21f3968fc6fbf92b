import { firstOutput } from "../ir/builder.ts";
import { constantInts } from "../ir/constants.ts";
import { outputOf } from "../ir/graph-node.ts";
import { beforeReshape, sameShape } from "./reshapes.ts";
import type { PeepholeRule } from "./rule.ts";

export const reshapeOfReshape: PeepholeRule = {
  name: "reshape-of-reshape",
  description: "two reshapes are one; a reshape to the shape that the tensor has is left out",
  ops: ["Reshape"],
  replace: ({ attrs, inputs: [x, shape] }, graph) => {
    if (x === undefined || shape === undefined) return undefined;
    const from = beforeReshape(x);
    const wanted = constantInts(shape);
    if (wanted === undefined) return undefined;
    if (sameShape(outputOf(from).shape, wanted)) return from;
    return from === x ? undefined : firstOutput(graph.add("Reshape", attrs, [from, shape]));
  },
};
