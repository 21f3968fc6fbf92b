import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { isMultiple } from "../../recording/record.ts";
import type { RecordedTensor } from "../../recording/record.ts";
import { finished } from "./kernel-writer.ts";
import type { KernelWriting, WriteKernel } from "./kernel-writer.ts";

/** The axes of a map or volume, channels first; and back. */
const toFirst = (rank: number): number[] => [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)];
const toLast = (rank: number): number[] => [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1];

function turned({ graph, prefix }: KernelWriting, x: string, perm: readonly number[]): string {
  return graph.node(prefix, "Transpose", [x], { perm });
}

/** A shape with one sample: the sizes of windows do not depend on the batch. */
const oneSample = ({ shape }: RecordedTensor): number[] => shape.map((dim) => (isMultiple(dim) ? 1 : dim));
const list = (value: unknown, length: number): number[] =>
  Array.isArray(value) ? (value as number[]) : Array.from({ length }, () => Number(value ?? 1));

interface Window {
  readonly pads: number[];
  readonly strides: number[];
  readonly dilations: number[];
}

interface PadInfo {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
  readonly front?: number;
  readonly back?: number;
}

const padsOf = ({ front, back, top, bottom, left, right }: PadInfo): number[] =>
  front === undefined ? [top, left, bottom, right] : [front, top, left, back!, bottom, right];

/** The padding of a convolution over an input of this shape. */
function windowOf(shape: readonly number[], kernel: readonly number[], attrs: KernelWriting["call"]["attrs"]): Window {
  const axes = shape.length - 2;
  const [strides, dilations] = [list(attrs["strides"], axes), list(attrs["dilations"], axes)];
  const { padInfo } =
    axes === 2
      ? tf.backend_util.computeConv2DInfo(
          shape as [number, number, number, number],
          kernel as [number, number, number, number],
          strides as [number, number],
          dilations as [number, number],
          attrs["pad"] as "same",
          attrs["dimRoundingMode"] as "floor",
        )
      : tf.backend_util.computeConv3DInfo(
          shape as [number, number, number, number, number],
          kernel as [number, number, number, number, number],
          strides as [number, number, number],
          dilations as [number, number, number],
          attrs["pad"] as "same",
        );
  return { pads: padsOf(padInfo), strides, dilations };
}

/** A convolution of a map or a volume. `kernel` is in ONNX's order: outputs, inputs, then the sizes. */
function convolution(writing: KernelWriting, kernel: string, group: number): string {
  const { graph, prefix, call, input } = writing;
  const [x, filter] = [call.inputs["x"]!, call.inputs["filter"]!];
  const rank = x.shape.length;
  const sizes = filter.shape as number[];
  const window = windowOf(oneSample(x), group === 1 ? sizes : [...sizes.slice(0, -1), 1], call.attrs);
  const y = graph.node(prefix, "Conv", [turned(writing, input("x"), toFirst(rank)), kernel], {
    kernel_shape: sizes.slice(0, -2),
    group,
    ...window,
  });
  return finished(writing, turned(writing, y, toLast(rank)));
}

const dense: WriteKernel = (writing) => {
  const rank = writing.call.inputs["filter"]!.shape.length;
  const perm = [rank - 1, rank - 2, ...Array.from({ length: rank - 2 }, (_, i) => i)];
  return convolution(writing, turned(writing, writing.input("filter"), perm), 1);
};

const depthwise: WriteKernel = (writing) => {
  const { graph, prefix, call, input } = writing;
  const [height, width, channels, times] = call.inputs["filter"]!.shape as number[];
  const apart = turned(writing, input("filter"), [2, 3, 0, 1]);
  const kernel = graph.node(prefix, "Reshape", [apart, graph.ints([channels! * times!, 1, height!, width!])]);
  return convolution(writing, kernel, channels!);
};

/** The gradient of a convolution, which tfjs runs as a transposed convolution. */
const transposed: WriteKernel = (writing) => {
  const { graph, prefix, call, input } = writing;
  const [dy, filter] = [call.inputs["dy"]!, call.inputs["filter"]!];
  const rank = dy.shape.length;
  const [whole, given, sizes] = [oneSample(call.outputs[0]!), oneSample(dy), filter.shape as number[]];
  const { pads, strides, dilations } = windowOf(whole, sizes, call.attrs);
  const axes = rank - 2;
  const output_padding = strides.map((stride, axis) => {
    const reach = (sizes[axis]! - 1) * dilations[axis]! + 1;
    return whole[axis + 1]! - ((given[axis + 1]! - 1) * stride + reach - pads[axis]! - pads[axis + axes]!);
  });
  const perm = [rank - 1, rank - 2, ...Array.from({ length: axes }, (_, i) => i)];
  const kernel = turned(writing, input("filter"), perm);
  const y = graph.node(prefix, "ConvTranspose", [turned(writing, input("dy"), toFirst(rank)), kernel], {
    kernel_shape: sizes.slice(0, axes),
    strides,
    dilations,
    pads,
    output_padding,
  });
  return turned(writing, y, toLast(rank));
};

const pool =
  (op: "MaxPool" | "AveragePool"): WriteKernel =>
  (writing) => {
    const { graph, prefix, call, input } = writing;
    const x = call.inputs["x"]!;
    const rank = x.shape.length;
    const kernel_shape = list(call.attrs["filterSize"], rank - 2);
    const strides = list(call.attrs["strides"], rank - 2);
    const rounding = call.attrs["dimRoundingMode"];
    const { padInfo } =
      rank === 4
        ? tf.backend_util.computePool2DInfo(
            oneSample(x) as [number, number, number, number],
            kernel_shape as [number, number],
            strides as [number, number],
            1,
            call.attrs["pad"] as "same",
            rounding as "floor",
          )
        : tf.backend_util.computePool3DInfo(
            oneSample(x) as [number, number, number, number, number],
            kernel_shape as [number, number, number],
            strides as [number, number, number],
            1,
            call.attrs["pad"] as "same",
            rounding as "floor",
            "NDHWC",
          );
    const attributes = { kernel_shape, strides, pads: padsOf(padInfo), ceil_mode: rounding === "ceil" ? 1 : 0 };
    const y = graph.node(prefix, op, [turned(writing, input("x"), toFirst(rank))], attributes);
    return turned(writing, y, toLast(rank));
  };

const resize =
  (mode: "nearest" | "linear"): WriteKernel =>
  (writing) => {
    const { graph, prefix, call, input } = writing;
    const { alignCorners, halfPixelCenters, size } = call.attrs as Record<string, unknown>;
    const x = turned(writing, input("images"), toFirst(4));
    const kept = graph.node(prefix, "Slice", [graph.node(prefix, "Shape", [x]), graph.ints([0]), graph.ints([2])]);
    const sizes = graph.node(prefix, "Concat", [kept, graph.ints(size as number[])], { axis: 0 });
    const isRounded = halfPixelCenters === true || alignCorners === true;
    const y = graph.node(prefix, "Resize", [x, "", "", sizes], {
      mode,
      coordinate_transformation_mode:
        halfPixelCenters === true ? "half_pixel" : alignCorners === true ? "align_corners" : "asymmetric",
      nearest_mode: mode === "linear" ? undefined : isRounded ? "round_prefer_ceil" : "floor",
    });
    return turned(writing, y, toLast(4));
  };

/** Kernels that move a window over a map or volume. */
export const windowKernels: Readonly<Record<string, WriteKernel>> = {
  Conv2D: dense,
  FusedConv2D: dense,
  Conv3D: dense,
  DepthwiseConv2dNative: depthwise,
  FusedDepthwiseConv2D: depthwise,
  Conv2DBackpropInput: transposed,
  Conv3DBackpropInputV2: transposed,
  MaxPool: pool("MaxPool"),
  MaxPool3D: pool("MaxPool"),
  AvgPool: pool("AveragePool"),
  AvgPool3D: pool("AveragePool"),
  ResizeBilinear: resize("linear"),
  ResizeNearestNeighbor: resize("nearest"),
  LRN: (writing) => {
    const { graph, prefix, call, input } = writing;
    const { depthRadius, alpha, beta, bias } = call.attrs as Record<string, number>;
    const size = 2 * depthRadius! + 1;
    const y = graph.node(prefix, "LRN", [turned(writing, input("x"), toFirst(4))], {
      size,
      // ONNX divides alpha by the window's length.
      alpha: { float: alpha! * size },
      beta: { float: beta! },
      bias: { float: bias! },
    });
    return turned(writing, y, toLast(4));
  },
  DepthToSpace: (writing) => {
    const { graph, prefix, call, input } = writing;
    if ((call.attrs["dataFormat"] ?? "NHWC") !== "NHWC") throw new OptionError("expected channels last");
    const x = turned(writing, input("x"), toFirst(4));
    const y = graph.node(prefix, "DepthToSpace", [x], { blocksize: Number(call.attrs["blockSize"]), mode: "DCR" });
    return turned(writing, y, toLast(4));
  },
};
