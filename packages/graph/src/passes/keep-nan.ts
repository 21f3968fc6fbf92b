import { attr } from "../ir/attrs.ts";
import type { Attr } from "../ir/attrs.ts";
import { becomeNode, castNode, firstOutput, floatConst, intsConst, makeNode } from "../ir/builder.ts";
import { outputOf, reachable } from "../ir/graph-node.ts";
import type { GraphNode, Output, Ref } from "../ir/graph-node.ts";
import { countChange } from "../ir/rewrite.ts";
import type { Changes } from "../ir/rewrite.ts";
import { DT } from "../values/dtypes.ts";
import { rootsOf } from "./pass.ts";
import type { Pass } from "./pass.ts";

/** Ops that TensorFlow's optimizer fuses a ReLU with. */
const fusesWithRelu = /^(BiasAdd|AddN|AddV2|Add|Conv|DepthwiseConv|MatMul|FusedBatchNorm)/;

/**
 * With oneDNN, a ReLU that TensorFlow fuses with the op before it turns NaN into 0, and a softmax over a row with a NaN
 * gives zeros: a diverged model would continue with finite numbers. `Maximum` is not fused and keeps NaN. A training step
 * of LeNet-5, batch 32, takes about 1 % more processor time (medians of 40 rounds, one thread).
 */
export const keepNan: Pass = {
  name: "keep-nan",
  description: "ReLU after a convolution or product is `Maximum`, and softmax takes over NaN, where oneDNN loses it",
  when: ({ exact, losesNan }) => !exact && losesNan,
  run(graph) {
    const changes: Changes = {};
    for (const node of reachable(rootsOf(graph))) {
      const [x] = node.inputs;
      if (x === undefined) continue;
      const isFused = fusesWithRelu.test(x.node.op);
      if (node.op === "Relu" && isFused) becomeMaximum(node, x);
      else if (node.op === "Relu6" && isFused) becomeClip(node, x);
      else if (node.op === "Softmax") addRowCheck(node, x);
      else continue;
      countChange(changes, node.op);
    }
    return changes;
  },
};

/** `max(x, 0)` */
function becomeMaximum(node: GraphNode, x: Ref): void {
  const { T, number } = numbersFor(node);
  becomeNode(node, "Maximum", [x, number("zero", 0)], { T });
}

/** `min(max(x, 0), 6)` */
function becomeClip(node: GraphNode, x: Ref): void {
  const { T, number, output } = numbersFor(node);
  const parts = { inputs: [x, number("zero", 0)], attrs: { T }, outputs: [output] };
  const low = firstOutput(makeNode(`${node.name}/low`, "Maximum", parts));
  becomeNode(node, "Minimum", [low, number("six", 6)], { T });
}

/** Makes each row with a NaN all NaN, and leaves the softmax of other rows as it is. */
function addRowCheck(node: GraphNode, x: Ref): void {
  const { T, output, number } = numbersFor(node);
  const part = (name: string, op: string, inputs: readonly Ref[], attrs: Record<string, Attr>, result: Output) =>
    firstOutput(makeNode(`${node.name}/${name}`, op, { inputs, attrs, outputs: [result] }));
  const axis = intsConst(`${node.name}/axis`, [output.shape.length - 1]);
  const isNan = part("is_nan", "IsNan", [x], { T }, { dtype: DT.bool, shape: output.shape });
  const reduction = { Tidx: attr.type(DT.int32), keep_dims: attr.bool(true) };
  const rows: Output = { dtype: DT.bool, shape: [...output.shape.slice(0, -1), 1] };
  const hasNan = part("has_nan", "Any", [isNan, axis], reduction, rows);
  const softmax = part("softmax", "Softmax", [x], { T }, output);
  becomeNode(node, "SelectV2", [hasNan, number("nan", Number.NaN), softmax], { T });
}

function numbersFor(node: GraphNode): { T: Attr; output: Output; number: (name: string, value: number) => Ref } {
  const output = outputOf(firstOutput(node));
  const number = (name: string, value: number): Ref => {
    const constant = floatConst(`${node.name}/${name}`, value);
    if (output.dtype === DT.float32) return constant;
    return firstOutput(castNode(`${node.name}/${name}_cast`, constant, outputOf(constant), output.dtype));
  };
  return { T: attr.type(output.dtype), output, number };
}
