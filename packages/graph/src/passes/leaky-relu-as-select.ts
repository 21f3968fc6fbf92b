import { attr } from "../ir/attrs.ts";
import { DT } from "../values/dtypes.ts";
import { constNode, outputOf, withUses } from "../ir/graph-node.ts";
import type { GraphNode, Ref } from "../ir/graph-node.ts";

/**
 * Writes a leaky ReLU as a choice, in place, where something else needs the convolution with bias that it is of. TensorFlow
 * (2.21, with oneDNN) fuses the three without asking who else needs the sum: its whole pass then fails, and nothing is fused.
 */
export function spareLeakyRelus(roots: readonly GraphNode[]): void {
  const { nodes, uses } = withUses(roots);
  for (const leaky of nodes) {
    const [sum] = leaky.inputs;
    if (leaky.op !== "LeakyRelu" || sum?.node.op !== "BiasAdd" || uses(sum.node) < 2) continue;
    if (sum.node.inputs[0]?.node.op.startsWith("Conv") || sum.node.inputs[0]?.node.op.startsWith("Depthwise"))
      becomeChoice(leaky, sum);
  }
}

/** `x > 0 ? x : alpha * x` */
function becomeChoice(leaky: GraphNode, x: Ref): void {
  const { shape } = outputOf(x);
  const T = attr.type(DT.float32);
  const number = (name: string, value: number) =>
    constNode(`${leaky.name}/${name}`, DT.float32, [], new Uint8Array(Float32Array.of(value).buffer));
  const binary = (op: string, other: GraphNode, dtype: number): Ref => {
    const inputs = [x, { node: other, index: 0 }];
    const outputs = [{ dtype, shape }];
    return { node: { name: `${leaky.name}/${op}`, op, inputs, control: [], attrs: { T }, outputs }, index: 0 };
  };
  const isPositive = binary("Greater", number("zero", 0), DT.bool);
  const scaled = binary("Mul", number("alpha", (leaky.attrs["alpha"] as { f: number }).f), DT.float32);
  Object.assign(leaky, { op: "SelectV2", inputs: [isPositive, x, scaled], attrs: { T } });
}
