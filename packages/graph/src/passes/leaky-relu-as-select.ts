import { attr } from "../ir/attrs.ts";
import { becomeNode, firstOutput, floatConst, makeNode } from "../ir/builder.ts";
import { outputOf, withUses } from "../ir/graph-node.ts";
import type { GraphNode, Ref } from "../ir/graph-node.ts";
import { countChange } from "../ir/rewrite.ts";
import type { Changes } from "../ir/rewrite.ts";
import { DT } from "../values/dtypes.ts";
import { rootsOf } from "./pass.ts";
import type { Pass } from "./pass.ts";

/**
 * TensorFlow (2.21, with oneDNN) fuses convolution, bias and leaky ReLU even if another op needs the biased
 * convolution. Its whole optimizer then fails, and nothing in the graph is fused.
 */
export const leakyReluAsSelect: Pass = {
  name: "leaky-relu-as-select",
  description: "leaky ReLU is `SelectV2` where something else needs the biased convolution before it",
  when: ({ exact }) => !exact,
  run(graph) {
    const changes: Changes = {};
    const { nodes, uses } = withUses(rootsOf(graph));
    for (const leaky of nodes) {
      const [sum] = leaky.inputs;
      if (leaky.op !== "LeakyRelu" || sum?.node.op !== "BiasAdd" || uses(sum.node) < 2) continue;
      if (!/^(Conv|Depthwise)/.test(sum.node.inputs[0]?.node.op ?? "")) continue;
      countChange(changes, leaky.op);
      becomeSelect(leaky, sum);
    }
    return changes;
  },
};

/** `x > 0 ? x : alpha * x` */
function becomeSelect(leaky: GraphNode, x: Ref): void {
  const { shape } = outputOf(x);
  const T = attr.type(DT.float32);
  const binary = (op: string, other: Ref, dtype: number): Ref => {
    const parts = { inputs: [x, other], attrs: { T }, outputs: [{ dtype, shape }] };
    return firstOutput(makeNode(`${leaky.name}/${op}`, op, parts));
  };
  const isPositive = binary("Greater", floatConst(`${leaky.name}/zero`, 0), DT.bool);
  const alpha = floatConst(`${leaky.name}/alpha`, (leaky.attrs["alpha"] as { f: number }).f);
  becomeNode(leaky, "SelectV2", [isPositive, x, binary("Mul", alpha, DT.float32)], { T });
}
