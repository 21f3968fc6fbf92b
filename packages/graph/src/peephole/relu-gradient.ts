import { attr } from "../ir/attrs.ts";
import { firstOutput } from "../ir/builder.ts";
import { outputOf } from "../ir/graph-node.ts";
import { DT } from "../values/dtypes.ts";
import { sameShape } from "./reshapes.ts";
import type { PeepholeRule } from "./rule.ts";

/**
 * `ReluGrad` gives 0 where ReLU's input is NaN, and tfjs' product NaN; the result of ReLU, and so the loss, is NaN in both. A step
 * function of anything but ReLU's input or result stays a product, since nothing else would show the NaN.
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
      // By ReLU's result where it is known, not by its input: an input that only ReLU needs can be fused with it.
      const known = relus.get(features.node) ?? features;
      return firstOutput(graph.add("ReluGrad", { T: attr.type(DT.float32) }, [gradient, known]));
    }
    return undefined;
  },
};
