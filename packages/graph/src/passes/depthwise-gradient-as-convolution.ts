import { attr, intsOf, textOf } from "../ir/attrs.ts";
import { becomeNode, firstOutput, intsConst, makeNode } from "../ir/builder.ts";
import { outputOf, reachable } from "../ir/graph-node.ts";
import type { GraphNode } from "../ir/graph-node.ts";
import { countChange } from "../ir/rewrite.ts";
import type { Changes } from "../ir/rewrite.ts";
import { DT } from "../values/dtypes.ts";
import { rootsOf } from "./pass.ts";
import type { Pass } from "./pass.ts";

/**
 * The gradient equals a depthwise convolution at stride 1, with an odd window in "same" padding and one filter per
 * channel. In 16 bits oneDNN's gradient kernel is 1.5 to 2 times as slow (AVX-512): 17.6 ms against 11.1 over [32, 176,
 * 176, 32]. In float32 both are equally fast.
 */
export const depthwiseGradientAsConvolution: Pass = {
  name: "depthwise-gradient-as-convolution",
  description: "in 16 bits, a depthwise convolution's gradient by its input is one with the filter reversed",
  when: ({ exact, precision }) => !exact && precision !== "float32",
  run(graph) {
    const changes: Changes = {};
    for (const node of reachable(rootsOf(graph))) {
      if (node.op !== "DepthwiseConv2dNativeBackpropInput") continue;
      const [, filter, gradient] = node.inputs;
      if (filter === undefined || gradient === undefined || !isSymmetric(node, outputOf(filter).shape)) continue;
      countChange(changes, node.op);
      const reversed = makeNode(`${node.name}/filter`, "ReverseV2", {
        inputs: [filter, intsConst(`${node.name}/axes`, [0, 1])],
        attrs: { T: attr.type(DT.float32), Tidx: attr.type(DT.int32) },
        outputs: [outputOf(filter)],
      });
      becomeNode(node, "DepthwiseConv2dNative", [gradient, firstOutput(reversed)], node.attrs);
    }
    return changes;
  },
};

function isSymmetric({ attrs }: GraphNode, [rows, columns, , multiplier]: readonly number[]): boolean {
  const format = textOf(attrs["data_format"]);
  return (
    textOf(attrs["padding"]) === "SAME" &&
    (format === "" || format === "NHWC") &&
    [...intsOf(attrs["strides"]), ...intsOf(attrs["dilations"])].every((step) => step === 1) &&
    rows! % 2 === 1 &&
    columns! % 2 === 1 &&
    multiplier === 1
  );
}
