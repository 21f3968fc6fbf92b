import { attr } from "../ir/attrs.ts";
import { firstOutput } from "../ir/builder.ts";
import { outputOf } from "../ir/graph-node.ts";
import { DT } from "../values/dtypes.ts";
import { matrixBehind, reshaped } from "./reshapes.ts";
import type { PeepholeRule } from "./rule.ts";

export const biasAdd: PeepholeRule = {
  name: "bias-add",
  description: "the sum of a tensor and a vector over its last axis is `BiasAdd`, before a dense layer's reshape",
  ops: ["Add"],
  replace: ({ attrs: { T }, inputs: [x, bias] }, graph) => {
    if (x === undefined || bias === undefined || T === undefined) return undefined;
    const { shape, dtype } = outputOf(x);
    const { shape: biasShape } = outputOf(bias);
    if (dtype !== DT.float32 || shape.length < 2 || biasShape.length !== 1 || shape.at(-1) !== biasShape[0])
      return undefined;
    const matrix = matrixBehind(x);
    const attrs = { T, data_format: attr.string("NHWC") };
    const sum = firstOutput(graph.add("BiasAdd", attrs, [matrix ?? x, bias]));
    return matrix === undefined ? sum : reshaped(graph, sum, shape);
  },
};
