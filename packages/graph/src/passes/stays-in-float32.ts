import { intsOf } from "../ir/attrs.ts";
import { outputOf } from "../ir/graph-node.ts";
import type { GraphNode, Ref } from "../ir/graph-node.ts";
import { sizeOf } from "../values/dtypes.ts";

/**
 * The exceptions of mixed precision: ops that oneDNN computes faster in float32, casts included. The numbers are
 * milliseconds on two cores with AMX, first in 16 bits, then in float32 with casts. All other ops of mixed precision
 * are as fast or faster in 16 bits: a cast takes as long as an op that reads and writes its tensors once.
 */
const exceptions: Record<string, (node: GraphNode) => boolean> = {
  // Over few positions, oneDNN spends more time reordering the tensors than computing.
  Conv2DBackpropFilter: ({ inputs }) => sizeOf(outputOf(inputs[2] as Ref).shape.slice(0, -1)) < 2048,
  // 3x3 over [32, 88, 88, 64]: 18 and 24, over [32, 176, 176, 32]: 24 and 41. 5x5 over [32, 44, 44, 128]: 261 and 86, over
  // [32, 14, 14, 512]: 122 and 30, at stride 2 over [32, 28, 28, 144]: 46 and 12. 7x7 over [32, 28, 28, 192]: 150 and 54.
  DepthwiseConv2dNativeBackpropFilter: ({ outputs }) => sizeOf(outputs[0]!.shape.slice(0, 2)) > 9,
  // 3x3 at stride 2 over [32, 112, 112, 64]: 257 and 25, over [32, 56, 56, 96]: 71 and 11; 5x5 over [32, 28, 28, 144]:
  // 129 and 4. At stride 1 both types are equally fast, and most become depthwise convolutions (the pass depthwise-
  // gradient-as-convolution).
  DepthwiseConv2dNativeBackpropInput: ({ attrs }) => intsOf(attrs["strides"]).some((step) => step > 1),
};

/** Whether an op is faster in float32 than in bfloat16 or float16. */
export function staysInFloat32(node: GraphNode): boolean {
  return Object.hasOwn(exceptions, node.op) && exceptions[node.op]!(node);
}
