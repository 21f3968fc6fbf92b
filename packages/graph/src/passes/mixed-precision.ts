import { attr, intsOf } from "../ir/attrs.ts";
import { DT, sizeOf } from "../values/dtypes.ts";
import { outputOf, reachable } from "../ir/graph-node.ts";
import type { GraphNode, Ref } from "../ir/graph-node.ts";
import { opDef } from "../ir/op-defs.ts";

/** Ops that are worth half the bits: their inputs are cast if need be. */
const narrow =
  /^(Conv2D|Conv2DBackpropInput|Conv2DBackpropFilter|DepthwiseConv2dNative|DepthwiseConv2dNativeBackprop(Input|Filter)|MatMul|BatchMatMulV2)$/;

/** Ops that keep to half the bits where a tensor comes so: what lies between convolutions, forward and backward. */
const follow =
  /^(Relu|Relu6|ReluGrad|Relu6Grad|LeakyRelu|LeakyReluGrad|MaxPool|MaxPoolGrad|AvgPool|AvgPoolGrad|BiasAdd|BiasAddGrad|Add|AddV2|AddN|ConcatV2|Slice|Pad|PadV2|Reshape|Transpose|Identity|FusedBatchNormV3|FusedBatchNormGradV3)$/;

/**
 * Those of the first that oneDNN computes faster in float32, although their inputs must be cast. Measured in milliseconds on
 * two cores with AMX: in 16 bits, and in float32 with casts. All else is as fast or faster in 16 bits, since a cast takes
 * as long as an op that reads and writes its tensors once.
 */
const keptInFloat32: Record<string, (node: GraphNode) => boolean> = {
  // Over few positions it reorders more than it computes.
  Conv2DBackpropFilter: ({ inputs }) => sizeOf(outputOf(inputs[2] as Ref).shape.slice(0, -1)) < 2048,
  // 3x3 over [32, 88, 88, 64]: 18 and 24, over [32, 176, 176, 32]: 24 and 41. 5x5 over [32, 44, 44, 128]: 261 and 86, over
  // [32, 14, 14, 512]: 122 and 30, at stride 2 over [32, 28, 28, 144]: 46 and 12. 7x7 over [32, 28, 28, 192]: 150 and 54.
  DepthwiseConv2dNativeBackpropFilter: ({ outputs }) => sizeOf(outputs[0]!.shape.slice(0, 2)) > 9,
  // 3x3 at stride 2 over [32, 112, 112, 64]: 257 and 25, over [32, 56, 56, 96]: 71 and 11; 5x5 over [32, 28, 28, 144]: 129
  // and 4. At stride 1 it is as fast in both, and mostly a depthwise convolution (`turnDepthwiseGradients`).
  DepthwiseConv2dNativeBackpropInput: ({ attrs }) => intsOf(attrs["strides"]).some((step) => step > 1),
};

/** Ops whose kernel is one with that of another forward: in 16 bits where its input there, the first here, is. */
const likeForward = /^MaxPoolGrad$/;

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
    const isNarrow =
      narrow.test(node.op) && node.attrs["T"]?.["type"] === DT.float32 && keptInFloat32[node.op]?.(node) !== true;
    const isFollowing =
      follow.test(node.op) &&
      (likeForward.test(node.op) ? floats.slice(0, 1) : floats).some(
        (index) => outputOf(node.inputs[index] as Ref).dtype === dtype,
      );
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
