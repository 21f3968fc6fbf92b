import { attr } from "../ir/attrs.ts";
import { becomeNode, constNode, firstOutput, makeNode } from "../ir/builder.ts";
import { constantFloats } from "../ir/constants.ts";
import { outputOf, withUses } from "../ir/graph-node.ts";
import type { GraphNode, Ref } from "../ir/graph-node.ts";
import { countChange } from "../ir/rewrite.ts";
import type { Changes } from "../ir/rewrite.ts";
import { DT } from "../values/dtypes.ts";
import { rootsOf } from "./pass.ts";
import type { Pass } from "./pass.ts";

/** The default epsilon of TensorFlow's fused batch norm. */
const DEFAULT_EPSILON = 1e-4;

export const foldBatchNorm: Pass = {
  name: "fold-batch-norm",
  description: "batch norm with constant statistics becomes part of the convolution before it, and a bias",
  when: ({ exact, freeze }) => !exact && freeze,
  run(graph) {
    const changes: Changes = {};
    const { nodes, uses } = withUses(rootsOf(graph));
    for (const node of nodes) {
      const folded = foldable(node, uses);
      if (folded === undefined) continue;
      countChange(changes, node.op);
      fold(node, folded);
    }
    return changes;
  },
};

interface Folded {
  convolution: GraphNode;
  filter: Float32Array;
  /** One factor per channel of the output. */
  factors: Float32Array;
  shift: Float32Array;
}

/**
 * The batch norm as a factor and a shift of the convolution before it. Undefined without such a convolution, or if
 * other nodes use it too.
 */
function foldable(norm: GraphNode, uses: (node: GraphNode) => number): Folded | undefined {
  if (!norm.op.startsWith("FusedBatchNorm") || norm.attrs["is_training"]?.["b"] !== false) return undefined;
  const [x, ...parameters] = norm.inputs as [Ref, Ref, Ref, Ref, Ref];
  const [scale, offset, mean, variance] = parameters.map(constantFloats);
  if (!scale || !offset || !mean || !variance || uses(x.node) !== 1) return undefined;
  const biased = x.node.op === "BiasAdd" ? x.node : undefined;
  const convolution = biased === undefined ? x.node : (biased.inputs[0] as Ref).node;
  const bias = biased === undefined ? undefined : constantFloats(biased.inputs[1] as Ref);
  const filter = convolution.inputs[1] === undefined ? undefined : constantFloats(convolution.inputs[1]);
  if (!/^(Conv2D|DepthwiseConv2dNative)$/.test(convolution.op) || filter === undefined) return undefined;
  if (biased !== undefined && (bias === undefined || uses(convolution) !== 1)) return undefined;
  const epsilon = (norm.attrs["epsilon"]?.["f"] as number | undefined) ?? DEFAULT_EPSILON;
  const factors = scale.map((gain, c) => gain / Math.sqrt((variance[c] as number) + epsilon));
  const shift = offset.map((o, c) => o + ((bias?.[c] ?? 0) - (mean[c] as number)) * (factors[c] as number));
  return { convolution, filter, factors, shift };
}

/** Turns a batch norm into the sum of a scaled convolution and a bias, in place. */
function fold(norm: GraphNode, { convolution, filter, factors, shift }: Folded): void {
  const [x, weights] = convolution.inputs as [Ref, Ref];
  // The last axes of both kinds of filter are the output's channels: [.., in, out] and [.., in, multiplier].
  const scaled = filter.map((weight, i) => weight * (factors[i % factors.length] as number));
  const scaledWeights = constNode(`${norm.name}/filter`, DT.float32, outputOf(weights).shape, scaled);
  const bias = constNode(`${norm.name}/bias`, DT.float32, [shift.length], shift);
  const { op, control, attrs, outputs } = convolution;
  const product = makeNode(`${norm.name}/conv`, op, {
    inputs: [x, firstOutput(scaledWeights)],
    control,
    attrs,
    outputs,
  });
  const sum = { T: attr.type(DT.float32), data_format: attr.string("NHWC") };
  becomeNode(norm, "BiasAdd", [firstOutput(product), firstOutput(bias)], sum);
  norm.outputs = norm.outputs.slice(0, 1);
}
