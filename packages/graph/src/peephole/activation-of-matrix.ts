import { firstOutput } from "../ir/builder.ts";
import { outputOf } from "../ir/graph-node.ts";
import { matrixBehind, reshaped } from "./reshapes.ts";
import type { PeepholeRule } from "./rule.ts";

export const activationOfMatrix: PeepholeRule = {
  name: "activation-of-matrix",
  description: "a dense layer's activation comes before the reshape of its product",
  ops: ["Relu", "Relu6", "Elu", "Tanh", "Sigmoid"],
  replace: ({ op, attrs, inputs: [x] }, graph) => {
    const matrix = x === undefined ? undefined : matrixBehind(x);
    if (x === undefined || matrix === undefined) return undefined;
    return reshaped(graph, firstOutput(graph.add(op, attrs, [matrix])), outputOf(x).shape);
  },
};
