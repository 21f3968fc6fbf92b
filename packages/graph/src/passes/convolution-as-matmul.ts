import { attr } from "../ir/attrs.ts";
import { becomeNode, firstOutput, intsConst, makeNode } from "../ir/builder.ts";
import { outputOf, reachable } from "../ir/graph-node.ts";
import type { GraphNode, Ref } from "../ir/graph-node.ts";
import { countChange } from "../ir/rewrite.ts";
import type { Changes } from "../ir/rewrite.ts";
import { DT } from "../values/dtypes.ts";
import { rootsOf } from "./pass.ts";
import type { Pass } from "./pass.ts";
import { pointConvolutionOf } from "./point-convolution.ts";
import type { PointConvolution } from "./point-convolution.ts";

/**
 * oneDNN's matrix product is 1.5 to 5 times as fast as its convolution over few positions (AVX-512 and AMX), and its filter
 * gradients in 16 bits are 1.3 to 12 times as fast over any number.
 */
export const convolutionAsMatmul: Pass = {
  name: "convolution-as-matmul",
  description: "convolutions that are matrix products, and their gradients, are `MatMul` where that is faster",
  when: ({ exact, freeze }) => !exact && !freeze,
  run(graph, { precision }) {
    const changes: Changes = {};
    for (const node of reachable(rootsOf(graph))) {
      const { op } = node;
      const rewrite = Object.hasOwn(byOp, op) ? byOp[op as keyof typeof byOp] : undefined;
      if (rewrite === undefined || node.attrs["T"]?.["type"] !== DT.float32) continue;
      rewrite(node, precision !== "float32");
      if (node.op !== op) countChange(changes, op);
    }
    return changes;
  },
};

/** A product is faster up to this many positions, forward and for the input's gradient. */
const FEW_POSITIONS = 256;

/** A product is faster up to this many positions for the filter's gradient in float32. */
const SOME_POSITIONS = 2048;

/** A product is faster from this many weights on for the filter's gradient in 16 bits. */
const MANY_WEIGHTS = 4096;

const byOp = {
  Conv2D(node: GraphNode): void {
    const [x, filter] = node.inputs as [Ref, Ref];
    const point = pointConvolutionOf(node, outputOf(x).shape, outputOf(filter).shape, node.outputs[0]!.shape);
    if (point === undefined || point.positions > FEW_POSITIONS) return;
    const left = reshape(node, "x", x, [point.positions, point.into]);
    becomeReshaped(node, product(node, [left, weights(node, filter, point)]));
  },

  Conv2DBackpropInput(node: GraphNode): void {
    const [, filter, gradient] = node.inputs as [Ref, Ref, Ref];
    const point = pointConvolutionOf(node, node.outputs[0]!.shape, outputOf(filter).shape, outputOf(gradient).shape);
    if (point === undefined || point.positions > FEW_POSITIONS) return;
    const left = reshape(node, "dy", gradient, [point.positions, point.outOf]);
    becomeReshaped(node, product(node, [left, weights(node, filter, point)], { transposesRight: true }));
  },

  Conv2DBackpropFilter(node: GraphNode, is16Bit: boolean): void {
    const [x, , gradient] = node.inputs as [Ref, Ref, Ref];
    const { shape } = node.outputs[0]!;
    const point = pointConvolutionOf(node, outputOf(x).shape, shape, outputOf(gradient).shape);
    if (point === undefined) return;
    const { positions, into, outOf, tap } = point;
    if (positions > SOME_POSITIONS && !(is16Bit && into * outOf >= MANY_WEIGHTS)) return;
    const sides = [
      reshape(node, "x", x, [positions, into]),
      reshape(node, "dy", gradient, [positions, outOf]),
    ] as const;
    const result = product(node, sides, { transposesLeft: true });
    if (tap === undefined) return becomeReshaped(node, result);
    const around = tap.flatMap((before, axis) => [before, shape[axis]! - 1 - before]);
    const paddings = intsConst(`${node.name}/paddings`, [...around, 0, 0, 0, 0], [4, 2]);
    const attrs = { T: attr.type(DT.float32), Tpaddings: attr.type(DT.int32) };
    becomeNode(node, "Pad", [reshape(node, "middle", result, [1, 1, into, outOf]), paddings], attrs);
  },
};

/** The weights of the tap that sees the image, as a matrix. */
function weights(node: GraphNode, filter: Ref, { into, outOf, tap }: PointConvolution): Ref {
  if (tap === undefined) return reshape(node, "w", filter, [into, outOf]);
  const begin = intsConst(`${node.name}/begin`, [...tap, 0, 0]);
  const size = intsConst(`${node.name}/size`, [1, 1, into, outOf]);
  const attrs = { T: attr.type(DT.float32), Index: attr.type(DT.int32) };
  const slice = floatNode(`${node.name}/Slice`, "Slice", [filter, begin, size], attrs, [1, 1, into, outOf]);
  return reshape(node, "w", slice, [into, outOf]);
}

function reshape(node: GraphNode, name: string, x: Ref, shape: readonly number[]): Ref {
  const dims = intsConst(`${node.name}/${name}_shape`, shape);
  return floatNode(`${node.name}/${name}`, "Reshape", [x, dims], reshapeAttrs, shape);
}

function product(
  node: GraphNode,
  [left, right]: readonly [Ref, Ref],
  { transposesLeft = false, transposesRight = false }: { transposesLeft?: boolean; transposesRight?: boolean } = {},
): Ref {
  const attrs = {
    T: attr.type(DT.float32),
    transpose_a: attr.bool(transposesLeft),
    transpose_b: attr.bool(transposesRight),
  };
  const shape = [outputOf(left).shape[transposesLeft ? 1 : 0]!, outputOf(right).shape[transposesRight ? 0 : 1]!];
  return floatNode(`${node.name}/MatMul`, "MatMul", [left, right], attrs, shape);
}

/** A new node with one float32 output. */
function floatNode(name: string, op: string, inputs: Ref[], attrs: GraphNode["attrs"], shape: readonly number[]): Ref {
  return firstOutput(makeNode(name, op, { inputs, attrs, outputs: [{ dtype: DT.float32, shape }] }));
}

const reshapeAttrs = { T: attr.type(DT.float32), Tshape: attr.type(DT.int32) };

/** Turns a node into the reshape of a product. */
function becomeReshaped(node: GraphNode, x: Ref): void {
  becomeNode(node, "Reshape", [x, intsConst(`${node.name}/shape`, node.outputs[0]!.shape)], reshapeAttrs);
}
