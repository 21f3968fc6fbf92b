import { OptionError } from "@convkit/errors";
import { front, numbers } from "../../recording/attributes.ts";
import { all, firstTensor, only, rankOf } from "../../recording/kernel-inputs.ts";
import type { RecordedTensor } from "../../recording/record.ts";
import { attr } from "./graph.ts";
import type { Attr } from "./graph.ts";
import { typed } from "./kernel-writer.ts";
import type { GraphWriting, WriteKernel } from "./kernel-writer.ts";
import { shapeWriters } from "./shape-kernels.ts";

const direct =
  (op: string): WriteKernel =>
  (writing) =>
    writing.graph.node(op, all(writing), typed(writing));
const rows = (names: string): [string, WriteKernel][] => names.split(" ").map((name) => [name, direct(name)]);
const renamed = (names: Readonly<Record<string, string>>): [string, WriteKernel][] =>
  Object.entries(names).map(([kernel, op]) => [kernel, direct(op)]);

const reduce =
  (op: string): WriteKernel =>
  (writing) => {
    const { axis, reductionIndices, keepDims } = writing.call.attrs;
    const rank = rankOf(writing);
    const given = axis ?? reductionIndices;
    const axes =
      given === undefined ? Array.from({ length: rank }, (_, i) => i) : numbers(given).map((i) => front(i, rank));
    return writing.graph.node(op, [only(writing), writing.graph.ints(axes)], {
      ...typed(writing),
      keep_dims: attr.bool(keepDims === true),
    });
  };

const place =
  (op: string): WriteKernel =>
  (writing) =>
    writing.graph.node(
      op,
      [only(writing), writing.graph.ints(front(writing.call.attrs["axis"], rankOf(writing)))],
      typed(writing),
    );

const cumulative =
  (op: string): WriteKernel =>
  (writing) =>
    writing.graph.node(op, [only(writing), writing.graph.ints(front(writing.call.attrs["axis"], rankOf(writing)))], {
      ...typed(writing),
      exclusive: attr.bool(writing.call.attrs["exclusive"] === true),
      reverse: attr.bool(writing.call.attrs["reverse"] === true),
    });

/** One number for each inner axis, between a 1 for the batch and a 1 for the channels. */
const inner = (value: unknown, axes: number): number[] => {
  const list = Array.isArray(value) ? (value as number[]) : Array.from({ length: axes }, () => Number(value ?? 1));
  return [1, ...list, 1];
};

function windowAttrs(writing: GraphWriting, axes: number): Readonly<Record<string, Attr>> {
  const { strides, dilations, pad } = writing.call.attrs;
  const padding = ((): Readonly<Record<string, Attr>> => {
    if (typeof pad === "string") return { padding: attr.string(pad.toUpperCase()) };
    const sides = typeof pad === "number" ? [0, 0, pad, pad, pad, pad, 0, 0] : (pad as number[][]).flat();
    return sides.every((side) => side === 0)
      ? { padding: attr.string("VALID") }
      : { padding: attr.string("EXPLICIT"), explicit_paddings: attr.ints(sides) };
  })();
  return {
    ...typed(writing),
    ...padding,
    strides: attr.ints(inner(strides, axes)),
    ...(dilations === undefined ? {} : { dilations: attr.ints(inner(dilations, axes)) }),
    data_format: attr.string(axes === 2 ? "NHWC" : "NDHWC"),
  };
}

const convolution =
  (op: string, axes = 2): WriteKernel =>
  (writing) =>
    writing.graph.node(op, [writing.input("x"), writing.input("filter")], windowAttrs(writing, axes));

/** The ops of TensorFlow by the names of tfjs' activations. */
const activations: Readonly<Record<string, string>> = {
  relu: "Relu",
  relu6: "Relu6",
  elu: "Elu",
  sigmoid: "Sigmoid",
  leakyrelu: "LeakyRelu",
  prelu: "Prelu",
};

/** A fused kernel: one node if it has a bias, else the plain operation and its activation. */
function fused(
  writing: GraphWriting,
  ops: { fused: string; plain: string },
  inputs: readonly string[],
  attrs: Readonly<Record<string, Attr>>,
): string {
  const { graph, call, input } = writing;
  const activation = (call.attrs["activation"] ?? "linear") as string;
  const op = activation === "linear" ? undefined : activations[activation];
  if (activation !== "linear" && op === undefined)
    throw new OptionError(`expected a known activation, got ${activation}`);
  const slope = activation === "leakyrelu" ? Number(call.attrs["leakyreluAlpha"]) : undefined;
  const prelu = activation === "prelu" ? [input("preluActivationWeights")] : [];
  if (call.inputs["bias"] === undefined) {
    const y = graph.node(ops.plain, inputs, attrs);
    if (op === undefined) return y;
    return graph.node(
      op,
      [y, ...prelu],
      slope === undefined ? typed(writing) : { ...typed(writing), alpha: attr.float(slope) },
    );
  }
  return graph.node(ops.fused, [...inputs, input("bias"), ...prelu], {
    ...attrs,
    fused_ops: attr.strings(["BiasAdd", ...(op === undefined ? [] : [op])]),
    num_args: attr.int(1 + prelu.length),
    ...(slope === undefined ? {} : { leakyrelu_alpha: attr.float(slope) }),
  });
}

const pool =
  (op: string, axes: number): WriteKernel =>
  (writing) => {
    const { filterSize, pad, dimRoundingMode } = writing.call.attrs;
    if (typeof pad !== "string") throw new OptionError("expected a pool with the padding same or valid");
    if (dimRoundingMode === "ceil") throw new OptionError("expected a pool whose sizes are rounded down");
    return writing.graph.node(op, [writing.input("x")], {
      ...windowAttrs(writing, axes),
      ksize: attr.ints(inner(filterSize, axes)),
    });
  };

const resize =
  (op: string): WriteKernel =>
  (writing) =>
    writing.graph.node(op, [writing.input("images"), writing.graph.ints(writing.call.attrs["size"] as number[])], {
      ...typed(writing),
      align_corners: attr.bool(writing.call.attrs["alignCorners"] === true),
      half_pixel_centers: attr.bool(writing.call.attrs["halfPixelCenters"] === true),
    });

const likeInput =
  (value: number): WriteKernel =>
  (writing) =>
    writing.graph.node(value === 0 ? "ZerosLike" : "OnesLike", [only(writing)], typed(writing));

/** One writer for each kernel that a layer may run in prediction. */
export const graphWriters: Readonly<Record<string, WriteKernel>> = {
  ...shapeWriters,
  ...Object.fromEntries([
    ...rows("Abs Acos Acosh Asin Asinh Atan Atan2 Atanh Ceil Cos Cosh Elu Erf Exp Expm1 Floor FloorDiv Log Log1p"),
    ...rows(
      "LogicalAnd LogicalNot LogicalOr LogSoftmax Maximum Minimum Neg Pow Prelu RealDiv Reciprocal Relu Relu6 Round",
    ),
    ...rows("Rsqrt Selu Sigmoid Sign Sin Sinh Softmax Softplus Sqrt Square SquaredDifference Sub Tan Tanh"),
    ...rows("Equal NotEqual Greater GreaterEqual Less LessEqual IsFinite IsInf IsNan"),
    ...renamed({ Add: "AddV2", Multiply: "Mul", Mod: "FloorMod", LogicalXor: "NotEqual" }),
    ...["Max", "Min", "Prod", "Sum", "Mean", "All", "Any"].map((op): [string, WriteKernel] => [op, reduce(op)]),
    ...["ArgMax", "ArgMin"].map((op): [string, WriteKernel] => [op, place(op)]),
    ...["Cumsum", "Cumprod"].map((op): [string, WriteKernel] => [op, cumulative(op)]),
  ]),
  Identity: only,
  AddN: (writing) => writing.graph.node("AddN", all(writing), { ...typed(writing), N: attr.int(all(writing).length) }),
  LeakyRelu: (writing) =>
    writing.graph.node("LeakyRelu", [only(writing)], {
      ...typed(writing),
      alpha: attr.float(Number(writing.call.attrs["alpha"])),
    }),
  ClipByValue: (writing) => {
    const dtype = firstTensor(writing).dtype as "float32";
    const bounds = ["clipValueMin", "clipValueMax"].map((key) =>
      writing.graph.number(Number(writing.call.attrs[key]), dtype),
    );
    return writing.graph.node("ClipByValue", [only(writing), ...bounds], typed(writing));
  },
  Step: (writing) => {
    const { graph, call } = writing;
    if (Number(call.attrs["alpha"] ?? 0) !== 0) throw new OptionError("expected a step to zero");
    const isAbove = graph.node("Greater", [only(writing), graph.number(0)], typed(writing));
    return graph.node("Cast", [isAbove], { SrcT: attr.type("bool"), DstT: attr.type("float32") });
  },
  Cast: (writing) =>
    writing.graph.node("Cast", [only(writing)], {
      SrcT: attr.type(firstTensor(writing).dtype),
      DstT: attr.type(writing.call.attrs["dtype"] as "float32"),
    }),
  Select: ({ graph, call, input }) =>
    graph.node("SelectV2", [input("condition"), input("t"), input("e")], { T: attr.type(call.inputs["t"]!.dtype) }),
  ZerosLike: likeInput(0),
  OnesLike: likeInput(1),
  Fill: ({ graph, call, sizes }) => {
    const [{ shape, dtype }] = call.outputs as [RecordedTensor];
    const value = graph.number(Number(call.attrs["value"]), dtype as "float32");
    return graph.node("Fill", [sizes(shape), value], { T: attr.type(dtype) });
  },
  Range: ({ graph, call }) => {
    const { start, step } = call.attrs as { start: number; step: number };
    const [{ shape, dtype }] = call.outputs as [RecordedTensor];
    const [length] = shape;
    if (typeof length !== "number") throw new OptionError("expected a range that does not grow with the batch");
    const values = Array.from({ length }, (_, i) => start + i * step);
    const read = (): Float32Array | Int32Array =>
      dtype === "int32" ? Int32Array.from(values) : Float32Array.from(values);
    return graph.constant({ name: "range", shape: [length], dtype: dtype as "float32", read });
  },
  BatchMatMul: (writing) =>
    writing.graph.node("BatchMatMulV2", [writing.input("a"), writing.input("b")], {
      ...typed(writing),
      adj_x: attr.bool(writing.call.attrs["transposeA"] === true),
      adj_y: attr.bool(writing.call.attrs["transposeB"] === true),
    }),
  _FusedMatMul: (writing) => {
    const [a, b] = [writing.call.attrs["transposeA"] === true, writing.call.attrs["transposeB"] === true].map(
      attr.bool,
    ) as [Attr, Attr];
    const names = { adj_x: a, adj_y: b, transpose_a: a, transpose_b: b };
    return fused(writing, { fused: "_FusedMatMul", plain: "BatchMatMulV2" }, [writing.input("a"), writing.input("b")], {
      ...typed(writing),
      ...names,
    });
  },
  Conv2D: convolution("Conv2D"),
  DepthwiseConv2dNative: convolution("DepthwiseConv2dNative"),
  Conv3D: convolution("Conv3D", 3),
  FusedConv2D: (writing) =>
    fused(
      writing,
      { fused: "_FusedConv2D", plain: "Conv2D" },
      [writing.input("x"), writing.input("filter")],
      windowAttrs(writing, 2),
    ),
  FusedDepthwiseConv2D: (writing) =>
    fused(
      writing,
      { fused: "FusedDepthwiseConv2dNative", plain: "DepthwiseConv2dNative" },
      [writing.input("x"), writing.input("filter")],
      windowAttrs(writing, 2),
    ),
  Conv2DBackpropInput: (writing) => {
    const { graph, call, input, sizes } = writing;
    const inputs = [sizes(call.outputs[0]!.shape), input("filter"), input("dy")];
    return graph.node("Conv2DBackpropInput", inputs, {
      dilations: attr.ints([1, 1, 1, 1]),
      ...windowAttrs(writing, 2),
    });
  },
  MaxPool: pool("MaxPool", 2),
  AvgPool: pool("AvgPool", 2),
  MaxPool3D: pool("MaxPool3D", 3),
  AvgPool3D: pool("AvgPool3D", 3),
  ResizeBilinear: resize("ResizeBilinear"),
  ResizeNearestNeighbor: resize("ResizeNearestNeighbor"),
  LRN: ({ graph, call, input }) => {
    const { depthRadius, bias, alpha, beta } = call.attrs as Record<string, number>;
    return graph.node("LRN", [input("x")], {
      T: attr.type("float32"),
      depth_radius: attr.int(depthRadius!),
      bias: attr.float(bias!),
      alpha: attr.float(alpha!),
      beta: attr.float(beta!),
    });
  },
  FusedBatchNorm: ({ graph, call, input, sizes }) => {
    const { shape } = call.inputs["mean"]!;
    const or = (name: string, value: number): string =>
      call.inputs[name] === undefined
        ? graph.node("Fill", [sizes(shape), graph.number(value)], { T: attr.type("float32") })
        : input(name);
    const inputs = [input("x"), or("scale", 1), or("offset", 0), input("mean"), input("variance")];
    return graph.node("FusedBatchNormV3", inputs, {
      T: attr.type("float32"),
      U: attr.type("float32"),
      epsilon: attr.float(Number(call.attrs["varianceEpsilon"] ?? 1e-3)),
      data_format: attr.string("NHWC"),
      is_training: attr.bool(false),
    });
  },
};
