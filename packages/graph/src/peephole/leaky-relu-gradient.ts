import { attr } from "../ir/attrs.ts";
import { firstOutput } from "../ir/builder.ts";
import { constantFloats } from "../ir/constants.ts";
import { outputOf } from "../ir/graph-node.ts";
import type { Ref } from "../ir/graph-node.ts";
import { DT } from "../values/dtypes.ts";
import { sameShape } from "./reshapes.ts";
import type { PeepholeRule } from "./rule.ts";

/** tfjs' gradient uses the sign of leaky ReLU's input, which then cannot be fused with the op before it. */
export const leakyReluGradient: PeepholeRule = {
  name: "leaky-relu-gradient",
  description: "leaky ReLU's gradient, tfjs' choice by the sign of its input, is one op on its result",
  ops: ["Select"],
  replace: ({ inputs: [mask, gradient, scaled] }, graph, { leakyRelus }) => {
    if (mask === undefined || gradient === undefined || scaled?.node.op !== "Mul") return undefined;
    const [features, zero] = mask.node.op === "Greater" ? mask.node.inputs : [];
    const leaky = features?.index === 0 ? leakyRelus.get(features.node) : undefined;
    if (zero === undefined || leaky === undefined || constantFloat(zero) !== 0) return undefined;
    const alpha = leaky.attrs["alpha"] as { f: number };
    const [factor] = scaled.node.inputs.filter((input) => !sameRef(input, gradient)) as [Ref?];
    if (factor === undefined || constantFloat(factor) !== Math.fround(alpha.f) || !(alpha.f > 0)) return undefined;
    if (!sameShape(outputOf(gradient).shape, leaky.outputs[0]?.shape ?? [])) return undefined;
    // The result has the sign of the input.
    const attrs = { T: attr.type(DT.float32), alpha };
    return firstOutput(graph.add("LeakyReluGrad", attrs, [gradient, firstOutput(leaky)]));
  },
};

/** The value of a constant float32 scalar. */
function constantFloat(x: Ref): number | undefined {
  return outputOf(x).shape.length === 0 ? constantFloats(x)?.[0] : undefined;
}

function sameRef(a: Ref, b: Ref): boolean {
  return a.node === b.node && a.index === b.index;
}
