import { attr } from "./attrs.ts";
import { DT, sizeOf } from "./dtypes.ts";
import { outputOf, reachable } from "./graph-node.ts";
import type { GraphNode, Ref } from "./graph-node.ts";
import { opDef } from "./op-defs.ts";

/** Ops that are worth half the bits: their inputs are cast if need be. */
const narrow =
  /^(Conv2D|Conv2DBackpropInput|Conv2DBackpropFilter|DepthwiseConv2dNative|DepthwiseConv2dNativeBackprop(Input|Filter)|MatMul|BatchMatMulV2)$/;

/** Ops that keep to half the bits where a tensor comes so: what lies between convolutions, forward and backward. */
const follow =
  /^(Relu|Relu6|ReluGrad|Relu6Grad|LeakyRelu|LeakyReluGrad|MaxPool|MaxPoolGrad|AvgPool|AvgPoolGrad|BiasAdd|BiasAddGrad|Add|AddV2|AddN|ConcatV2|Slice|Pad|PadV2|Reshape|Transpose|Identity|FusedBatchNormV3|FusedBatchNormGradV3)$/;

/**
 * Lets convolutions, matrix products and what lies between them compute in 16 bits, in place. Variables, statistics,
 * sums, losses, softmax and updates stay float32; a tensor is cast once, where it crosses. Returns the roots to use.
 */
export function lowerPrecision(outputs: readonly Ref[], writes: readonly GraphNode[], dtype: number): Ref[] {
  const casts = new Map<GraphNode, Map<string, Ref>>();
  let count = 0;

  function cast(ref: Ref, to: number): Ref {
    if (outputOf(ref).dtype === to) return ref;
    const known = casts.get(ref.node) ?? new Map<string, Ref>();
    casts.set(ref.node, known);
    const key = `${ref.index} ${to}`;
    let found = known.get(key);
    if (found === undefined) {
      const { dtype: from, shape } = outputOf(ref);
      const node: GraphNode = {
        name: `precision/Cast_${count++}`,
        op: "Cast",
        inputs: [ref],
        control: [],
        attrs: { SrcT: attr.type(from), DstT: attr.type(to) },
        outputs: [{ dtype: to, shape }],
      };
      found = { node, index: 0 };
      known.set(key, found);
    }
    return found;
  }

  for (const node of reachable([...outputs.map((ref) => ref.node), ...writes])) {
    const typed = typedByT(node);
    const floats = typed.filter((index) => outputOf(node.inputs[index] as Ref).dtype !== DT.int32);
    const isNarrow = narrow.test(node.op) && node.attrs["T"]?.["type"] === DT.float32 && !isSmallFilterGradient(node);
    const isFollowing =
      follow.test(node.op) && floats.some((index) => outputOf(node.inputs[index] as Ref).dtype === dtype);
    if (isNarrow || isFollowing) {
      for (const index of floats) node.inputs[index] = cast(node.inputs[index] as Ref, dtype);
      node.attrs = { ...node.attrs, T: attr.type(dtype) };
      node.outputs = node.outputs.map((output, index) => (givesT(node, index) ? { ...output, dtype } : output));
      continue;
    }
    node.inputs = node.inputs.map((input) => (outputOf(input).dtype === dtype ? cast(input, DT.float32) : input));
  }
  return outputs.map((ref) => (outputOf(ref).dtype === dtype ? cast(ref, DT.float32) : ref));
}

/** Positions of the output below which a filter's gradient is slower in 16 bits (oneDNN on AMX: it reorders more than it computes). */
const FEW_POSITIONS = 2048;

function isSmallFilterGradient({ op, inputs }: GraphNode): boolean {
  if (op !== "Conv2DBackpropFilter" || inputs[2] === undefined) return false;
  return sizeOf(outputOf(inputs[2]).shape.slice(0, -1)) < FEW_POSITIONS;
}

/** The places of a node's inputs whose type is its attribute T. */
function typedByT(node: GraphNode): number[] {
  const places: number[] = [];
  let at = 0;
  for (const arg of opDef(node.op)?.input_arg ?? []) {
    const count = arg.number_attr === "" ? 1 : (node.attrs[arg.number_attr]?.["i"] as number);
    for (let i = 0; i < count; i++, at++) if (arg.type_attr === "T") places.push(at);
  }
  return places;
}

function givesT(node: GraphNode, index: number): boolean {
  return opDef(node.op)?.output_arg[index]?.type_attr === "T";
}
