import { attr } from "../ir/attrs.ts";
import { becomeNode } from "../ir/builder.ts";
import { outputOf, withUses } from "../ir/graph-node.ts";
import type { Output, Ref } from "../ir/graph-node.ts";
import { countChange } from "../ir/rewrite.ts";
import type { Changes } from "../ir/rewrite.ts";
import { DT } from "../values/dtypes.ts";
import { rootsOf } from "./pass.ts";
import type { Pass } from "./pass.ts";

/** `AddN` is the one sum that TensorFlow fuses with a convolution and its bias. */
export const fuseShortcut: Pass = {
  name: "fuse-shortcut",
  description: "the sum of a convolution with bias and a shortcut is `AddN`",
  when: ({ exact, freeze }) => !exact && freeze,
  run(graph) {
    const changes: Changes = {};
    const { nodes, uses } = withUses(rootsOf(graph));
    const isConvolution = ({ node }: Ref): boolean =>
      node.op === "BiasAdd" &&
      uses(node) === 1 &&
      node.inputs[0]?.node.op === "Conv2D" &&
      uses(node.inputs[0].node) === 1;
    for (const node of nodes) {
      if (!/^Add(V2)?$/.test(node.op) || !node.inputs.some(isConvolution)) continue;
      const [left, right] = node.inputs.map(outputOf) as [Output, Output];
      if (left.dtype !== DT.float32 || `${left.shape}` !== `${right.shape}`) continue;
      countChange(changes, node.op);
      becomeNode(node, "AddN", node.inputs, { N: attr.int(2), T: attr.type(DT.float32) });
    }
    return changes;
  },
};
