import { attr, intsOf, textOf } from "../ir/attrs.ts";
import { becomeNode, firstOutput, floatConst, intsConst, makeNode } from "../ir/builder.ts";
import { outputOf, reachable } from "../ir/graph-node.ts";
import type { GraphNode } from "../ir/graph-node.ts";
import { countChange } from "../ir/rewrite.ts";
import type { Changes } from "../ir/rewrite.ts";
import { DT } from "../values/dtypes.ts";
import { rootsOf } from "./pass.ts";
import type { Pass } from "./pass.ts";

/**
 * Two faults of TensorFlow 2.21 with oneDNN end the process where a bias follows a convolution with numbers for its padding. With AVX-512,
 * the kernel reads memory which is not its own where a window meets no pixel, as a 1x1 window on the padding. And a depthwise convolution is
 * fused with its bias into an op that has no such padding.
 */
export const padBeforeConvolution: Pass = {
  name: "pad-before-convolution",
  description:
    "convolutions whose windows may meet padding alone, and depthwise ones, take an image padded by an op of its own",
  when: ({ isUsingGpu }) => !isUsingGpu,
  run(graph) {
    const changes: Changes = {};
    for (const node of reachable(rootsOf(graph))) {
      const [x, filter] = node.inputs;
      if (x === undefined || filter === undefined || !isPadded(node)) continue;
      if (node.op === "Conv2D" && !meetsNoPixel(node, outputOf(x).shape, outputOf(filter).shape)) continue;
      countChange(changes, node.op);
      const pads = intsOf(node.attrs["explicit_paddings"]);
      const { dtype, shape } = outputOf(x);
      // TensorFlow would make the convolution's own padding of a `Pad` again.
      const padded = makeNode(`${node.name}/padded`, "PadV2", {
        inputs: [x, intsConst(`${node.name}/paddings`, pads, [4, 2]), floatConst(`${node.name}/zero`, 0)],
        attrs: { T: attr.type(dtype), Tpaddings: attr.type(DT.int32) },
        outputs: [{ dtype, shape: shape.map((size, axis) => size + pads[2 * axis]! + pads[2 * axis + 1]!) }],
      });
      const { explicit_paddings: _pads, ...attrs } = node.attrs;
      becomeNode(node, node.op, [firstOutput(padded), filter], { ...attrs, padding: attr.string("VALID") });
    }
    return changes;
  },
};

/** True for convolutions whose padding is given in numbers. */
function isPadded({ op, attrs }: GraphNode): boolean {
  const format = textOf(attrs["data_format"]);
  return (
    (op === "Conv2D" || op === "DepthwiseConv2dNative") &&
    textOf(attrs["padding"]) === "EXPLICIT" &&
    (format === "" || format === "NHWC")
  );
}

/** True if at some position of the window none of its taps meets the image. */
function meetsNoPixel({ attrs, outputs }: GraphNode, image: readonly number[], window: readonly number[]): boolean {
  const [pads, strides] = [intsOf(attrs["explicit_paddings"]), intsOf(attrs["strides"])];
  const dilations = intsOf(attrs["dilations"]);
  return [1, 2].some((axis) => {
    const starts = Array.from({ length: outputs[0]!.shape[axis]! }, (_, at) => at * strides[axis]! - pads[2 * axis]!);
    const taps = Array.from({ length: window[axis - 1]! }, (_, tap) => tap * (dilations[axis] ?? 1));
    return starts.some((start) => !taps.some((tap) => start + tap >= 0 && start + tap < image[axis]!));
  });
}
