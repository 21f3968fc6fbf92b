import { attr } from "../ir/attrs.ts";
import { castNode, firstOutput } from "../ir/builder.ts";
import { outputOf, reachable } from "../ir/graph-node.ts";
import type { GraphNode, Ref } from "../ir/graph-node.ts";
import { opDef } from "../ir/op-defs.ts";
import { countChange } from "../ir/rewrite.ts";
import type { Changes } from "../ir/rewrite.ts";
import { DT } from "../values/dtypes.ts";
import { rootsOf } from "./pass.ts";
import type { Pass } from "./pass.ts";
import { staysInFloat32 } from "./stays-in-float32.ts";

/** Ops that are so much faster in 16 bits that their inputs are cast. */
const narrow =
  /^(Conv2D|Conv2DBackpropInput|Conv2DBackpropFilter|DepthwiseConv2dNative|DepthwiseConv2dNativeBackprop(Input|Filter)|MatMul|BatchMatMulV2)$/;

/** Ops that compute in 16 bits if an input already has 16 bits: the ops between convolutions, forward and backward. */
const follow =
  /^(Relu|Relu6|ReluGrad|Relu6Grad|LeakyRelu|LeakyReluGrad|MaxPool|MaxPoolGrad|AvgPool|AvgPoolGrad|BiasAdd|BiasAddGrad|Add|AddV2|AddN|ConcatV2|Slice|Pad|PadV2|Reshape|Transpose|Identity|FusedBatchNormV3|FusedBatchNormGradV3)$/;

/** Gradient ops that must have the type of their forward op, which is the type of their first input. */
const likeForward = /^MaxPoolGrad$/;

/**
 * Makes convolutions, matrix products and the ops between them compute in 16 bits. Variables, statistics, sums, losses,
 * softmax and updates stay float32. A tensor that both sides use is cast once.
 */
export const mixedPrecision: Pass = {
  name: "mixed-precision",
  description: "convolutions, matrix products and what lies between them compute in 16 bits",
  when: ({ precision }) => precision !== "float32",
  run(graph, { precision }) {
    const changes: Changes = {};
    const dtype = DT[precision];
    const cast = caster(changes);
    const isLow = (ref: Ref) => outputOf(ref).dtype === dtype;
    for (const node of reachable(rootsOf(graph))) {
      const floats = typedByT(node).filter((index) => outputOf(node.inputs[index] as Ref).dtype !== DT.int32);
      if (!computesInLow(node, floats, isLow)) {
        node.inputs = node.inputs.map((input) => (isLow(input) ? cast(input, DT.float32) : input));
        continue;
      }
      countChange(changes, node.op);
      for (const index of floats) node.inputs[index] = cast(node.inputs[index] as Ref, dtype);
      node.attrs = { ...node.attrs, T: attr.type(dtype) };
      node.outputs = node.outputs.map((output, index) => (givesT(node, index) ? { ...output, dtype } : output));
    }
    for (const output of graph.outputs) if (isLow(output.ref)) output.ref = cast(output.ref, DT.float32);
    return changes;
  },
};

/** True if a node computes in 16 bits; `floats` are the indices of the inputs that would be cast. */
function computesInLow(node: GraphNode, floats: readonly number[], isLow: (ref: Ref) => boolean): boolean {
  if (narrow.test(node.op) && node.attrs["T"]?.["type"] === DT.float32 && !staysInFloat32(node)) return true;
  if (!follow.test(node.op)) return false;
  const deciding = likeForward.test(node.op) ? floats.slice(0, 1) : floats;
  return deciding.some((index) => isLow(node.inputs[index] as Ref));
}

/** Returns a function that makes casts, one per output and type. */
function caster(changes: Changes): (ref: Ref, to: number) => Ref {
  const casts = new Map<GraphNode, Map<string, Ref>>();
  let count = 0;
  return (ref, to) => {
    const output = outputOf(ref);
    if (output.dtype === to) return ref;
    const known = casts.get(ref.node) ?? new Map<string, Ref>();
    casts.set(ref.node, known);
    const key = `${ref.index} ${to}`;
    let found = known.get(key);
    if (found === undefined) {
      found = firstOutput(castNode(`precision/Cast_${count++}`, ref, output, to));
      countChange(changes, "Cast");
      known.set(key, found);
    }
    return found;
  };
}

/** The indices of the inputs that have the type of the attribute T. */
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
