import { attr } from "../ir/attrs.ts";
import { firstOutput } from "../ir/builder.ts";
import { constantInts } from "../ir/constants.ts";
import { outputOf } from "../ir/graph-node.ts";
import { DT } from "../values/dtypes.ts";
import { sameShape } from "./reshapes.ts";
import type { PeepholeRule } from "./rule.ts";

export const biasGradient: PeepholeRule = {
  name: "bias-gradient",
  description: "the sum over all axes but the last is `BiasAddGrad`",
  ops: ["Sum"],
  replace: ({ attrs: { T, keep_dims }, inputs: [x, axes] }, graph) => {
    if (x === undefined || axes === undefined || T === undefined || keep_dims?.["b"] === true) return undefined;
    const { shape, dtype } = outputOf(x);
    const reduced = constantInts(axes)?.toSorted((a, b) => a - b);
    if (dtype !== DT.float32 || shape.length < 2 || reduced === undefined) return undefined;
    if (!sameShape(reduced, [...shape.slice(1).keys()])) return undefined;
    return firstOutput(graph.add("BiasAddGrad", { T, data_format: attr.string("NHWC") }, [x]));
  },
};
