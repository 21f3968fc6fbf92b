import { attr } from "../ir/attrs.ts";
import { firstOutput } from "../ir/builder.ts";
import { outputOf } from "../ir/graph-node.ts";
import { DT } from "../values/dtypes.ts";
import { sameShape } from "./reshapes.ts";
import type { PeepholeRule } from "./rule.ts";

/**
 * If ReLU's input is NaN, `ReluGrad` gives 0 and tfjs' product gives NaN. ReLU's result, and so the loss, is NaN in
 * both cases. A step function of any other tensor stays a product, since nothing else would show the NaN.
 */
export const reluGradient: PeepholeRule = {
  name: "relu-gradient",
  description: "ReLU's gradient, tfjs' product with a step function, is one op",
  ops: ["Mul"],
  replace: ({ inputs: [a, b] }, graph, { steps, relus, rectified }) => {
    for (const [gradient, mask] of [
      [a, b],
      [b, a],
    ]) {
      if (gradient === undefined || mask === undefined) continue;
      const features = steps.get(mask.node);
      if (features === undefined || !sameShape(outputOf(gradient).shape, outputOf(features).shape)) continue;
      if (features.index !== 0 || !rectified.has(features.node)) continue;
      // Uses ReLU's result if it is known, not its input: an input that only ReLU needs can be fused with it.
      const known = relus.get(features.node) ?? features;
      return firstOutput(graph.add("ReluGrad", { T: attr.type(DT.float32) }, [gradient, known]));
    }
    return undefined;
  },
};
