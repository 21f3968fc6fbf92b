import { constNode, firstOutput } from "../ir/builder.ts";
import { constantOf } from "../ir/constants.ts";
import { outputOf, reachable } from "../ir/graph-node.ts";
import { countChange } from "../ir/rewrite.ts";
import type { Changes } from "../ir/rewrite.ts";
import { DT } from "../values/dtypes.ts";
import { rootsOf } from "./pass.ts";
import type { Pass } from "./pass.ts";
import { pointConvolutionOf } from "./point-convolution.ts";

/** The other taps only ever see padding. A prediction of one image takes as long as reading its weights. */
export const cropFilters: Pass = {
  name: "crop-filters",
  description: "constant filters over 1x1 images are cropped to the one tap that sees the image",
  // Frozen convolutions stay convolutions: TensorFlow fuses them with what follows, and keeps the weights in its kernels' layout.
  when: ({ exact, freeze }) => !exact && freeze,
  run(graph) {
    const changes: Changes = {};
    for (const node of reachable(rootsOf(graph))) {
      const [x, filter] = node.inputs;
      const weights = filter === undefined ? undefined : constantOf(filter.node);
      if (node.op !== "Conv2D" || x === undefined || filter === undefined || weights === undefined) continue;
      const { dtype, shape } = outputOf(filter);
      const point = pointConvolutionOf(node, outputOf(x).shape, shape, node.outputs[0]!.shape);
      if (dtype !== DT.float32 || point?.tap === undefined) continue;
      const { into, outOf, tap } = point;
      const start = (tap[0] * shape[1]! + tap[1]) * into * outOf;
      const middle = weights.subarray(start, start + into * outOf);
      countChange(changes, node.op);
      node.inputs = [x, firstOutput(constNode(`${node.name}/middle`, DT.float32, [1, 1, into, outOf], middle))];
    }
    return changes;
  },
};
