import { OptionError } from "@convkit/errors";
import { isMultiple } from "../../recording/record.ts";
import type { Dim, KernelCall, RecordedTensor } from "../../recording/record.ts";
import { attr } from "./graph.ts";
import type { Attr, GraphDef } from "./graph.ts";

/** The arguments of a kernel's writer. */
export interface GraphWriting {
  readonly graph: GraphDef;
  readonly call: KernelCall;
  /** The name of an input. */
  input(name: string): string;
  /** A vector of sizes, which may grow with the batch. */
  sizes(dims: readonly Dim[]): string;
}

type Write = (writing: GraphWriting) => string | string[];

const only = ({ call, input }: GraphWriting): string => input(Object.keys(call.inputs)[0]!);
const tensorOf = ({ call }: GraphWriting): RecordedTensor => Object.values(call.inputs)[0]!;
const all = ({ call, input }: GraphWriting): string[] => Object.keys(call.inputs).map(input);
const rankOf = (writing: GraphWriting): number => tensorOf(writing).shape.length;
const typed = (writing: GraphWriting): Readonly<Record<string, Attr>> => ({ T: attr.type(tensorOf(writing).dtype) });
const numbers = (value: unknown): number[] => [value].flat() as number[];
const front = (axis: unknown, rank: number): number => (Number(axis) < 0 ? Number(axis) + rank : Number(axis));

const direct =
  (op: string): Write =>
  (writing) =>
    writing.graph.node(op, all(writing), typed(writing));
const rows = (names: string): [string, Write][] => names.split(" ").map((name) => [name, direct(name)]);
const renamed = (names: Readonly<Record<string, string>>): [string, Write][] =>
  Object.entries(names).map(([kernel, op]) => [kernel, direct(op)]);

const reduce =
  (op: string): Write =>
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
  (op: string): Write =>
  (writing) =>
    writing.graph.node(
      op,
      [only(writing), writing.graph.ints(front(writing.call.attrs["axis"], rankOf(writing)))],
      typed(writing),
    );

const cumulative =
  (op: string): Write =>
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
  (op: string, axes = 2): Write =>
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
  (op: string, axes: number): Write =>
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
  (op: string): Write =>
  (writing) =>
    writing.graph.node(op, [writing.input("images"), writing.graph.ints(writing.call.attrs["size"] as number[])], {
      ...typed(writing),
      align_corners: attr.bool(writing.call.attrs["alignCorners"] === true),
      half_pixel_centers: attr.bool(writing.call.attrs["halfPixelCenters"] === true),
    });

const likeInput =
  (value: number): Write =>
  (writing) =>
    writing.graph.node(value === 0 ? "ZerosLike" : "OnesLike", [only(writing)], typed(writing));

/** One writer for each kernel that a layer may run in prediction. */
export const graphWriters: Readonly<Record<string, Write>> = {
  ...Object.fromEntries([
    ...rows("Abs Acos Acosh Asin Asinh Atan Atan2 Atanh Ceil Cos Cosh Elu Erf Exp Expm1 Floor FloorDiv Log Log1p"),
    ...rows(
      "LogicalAnd LogicalNot LogicalOr LogSoftmax Maximum Minimum Neg Pow Prelu RealDiv Reciprocal Relu Relu6 Round",
    ),
    ...rows("Rsqrt Selu Sigmoid Sign Sin Sinh Softmax Softplus Sqrt Square SquaredDifference Sub Tan Tanh"),
    ...rows("Equal NotEqual Greater GreaterEqual Less LessEqual IsFinite IsInf IsNan"),
    ...renamed({ Add: "AddV2", Multiply: "Mul", Mod: "FloorMod", LogicalXor: "NotEqual" }),
    ...["Max", "Min", "Prod", "Sum", "Mean", "All", "Any"].map((op): [string, Write] => [op, reduce(op)]),
    ...["ArgMax", "ArgMin"].map((op): [string, Write] => [op, place(op)]),
    ...["Cumsum", "Cumprod"].map((op): [string, Write] => [op, cumulative(op)]),
  ]),
  Identity: only,
  AddN: (writing) => writing.graph.node("AddN", all(writing), { ...typed(writing), N: attr.int(all(writing).length) }),
  LeakyRelu: (writing) =>
    writing.graph.node("LeakyRelu", [only(writing)], {
      ...typed(writing),
      alpha: attr.float(Number(writing.call.attrs["alpha"])),
    }),
  ClipByValue: (writing) => {
    const dtype = tensorOf(writing).dtype as "float32";
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
      SrcT: attr.type(tensorOf(writing).dtype),
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

  Reshape: (writing) => {
    const { shape } = writing.call.outputs[0]!;
    // TensorFlow infers one size.
    const isPlain = shape.filter(isMultiple).length === 1;
    const sizes = isPlain ? writing.graph.ints(shape.map((dim) => (isMultiple(dim) ? -1 : dim))) : writing.sizes(shape);
    return writing.graph.node("Reshape", [only(writing), sizes], typed(writing));
  },
  ExpandDims: (writing) =>
    writing.graph.node(
      "ExpandDims",
      [only(writing), writing.graph.ints(front(writing.call.attrs["dim"], rankOf(writing) + 1))],
      typed(writing),
    ),
  Transpose: (writing) =>
    writing.graph.node(
      "Transpose",
      [only(writing), writing.graph.ints(numbers(writing.call.attrs["perm"]))],
      typed(writing),
    ),
  Concat: (writing) => {
    const axis = writing.graph.ints(front(writing.call.attrs["axis"], rankOf(writing)));
    return writing.graph.node("ConcatV2", [...all(writing), axis], {
      ...typed(writing),
      N: attr.int(all(writing).length),
    });
  },
  Pack: (writing) =>
    writing.graph.node("Pack", all(writing), {
      ...typed(writing),
      N: attr.int(all(writing).length),
      axis: attr.int(front(writing.call.attrs["axis"] ?? 0, rankOf(writing) + 1)),
    }),
  Unpack: (writing) => {
    const node = writing.graph.node("Unpack", [only(writing)], {
      ...typed(writing),
      num: attr.int(writing.call.outputs.length),
      axis: attr.int(front(writing.call.attrs["axis"] ?? 0, rankOf(writing))),
    });
    return several(node, writing.call.outputs.length);
  },
  SplitV: (writing) => {
    const axis = front(writing.call.attrs["axis"], rankOf(writing));
    const parts = writing.call.outputs.map(({ shape }) => shape[axis]!);
    const inputs = [only(writing), writing.sizes(parts), writing.graph.ints(axis)];
    return several(
      writing.graph.node("SplitV", inputs, { ...typed(writing), num_split: attr.int(parts.length) }),
      parts.length,
    );
  },
  Slice: (writing) => {
    const [begin, size] = ["begin", "size"].map((key) => [writing.call.attrs[key]].flat() as Dim[]) as [Dim[], Dim[]];
    const { shape } = tensorOf(writing);
    const starts = shape.map((_, axis) => begin[axis] ?? 0);
    // A part that grows with the batch is the rest of the axis.
    const lengths = shape.map((whole, axis) =>
      isMultiple(whole) && starts[axis] === 0 && isMultiple(size[axis]) ? -1 : (size[axis] ?? -1),
    );
    return writing.graph.node("Slice", [only(writing), writing.sizes(starts), writing.sizes(lengths)], typed(writing));
  },
  StridedSlice: (writing) => {
    const { begin, end, strides, ...masks } = writing.call.attrs;
    const lists = [begin, end, strides].map((list) => writing.sizes(list as Dim[]));
    return writing.graph.node("StridedSlice", [only(writing), ...lists], {
      ...typed(writing),
      begin_mask: attr.int(Number(masks["beginMask"] ?? 0)),
      end_mask: attr.int(Number(masks["endMask"] ?? 0)),
      ellipsis_mask: attr.int(Number(masks["ellipsisMask"] ?? 0)),
      new_axis_mask: attr.int(Number(masks["newAxisMask"] ?? 0)),
      shrink_axis_mask: attr.int(Number(masks["shrinkAxisMask"] ?? 0)),
    });
  },
  Tile: (writing) =>
    writing.graph.node("Tile", [only(writing), writing.sizes(writing.call.attrs["reps"] as Dim[])], typed(writing)),
  BroadcastTo: (writing) =>
    writing.graph.node("BroadcastTo", [only(writing), writing.sizes(writing.call.outputs[0]!.shape)], typed(writing)),
  Reverse: (writing) => {
    const axes = numbers(writing.call.attrs["dims"]).map((axis) => front(axis, rankOf(writing)));
    return writing.graph.node("ReverseV2", [only(writing), writing.graph.ints(axes)], typed(writing));
  },
  GatherV2: ({ graph, call, input }) => {
    const axis = graph.ints(front(call.attrs["axis"] ?? 0, call.inputs["x"]!.shape.length));
    return graph.node("GatherV2", [input("x"), input("indices"), axis], { batch_dims: attr.int(0) });
  },
  OneHot: (writing) => {
    const { depth, onValue, offValue, dtype } = writing.call.attrs as Record<string, number>;
    const type = (dtype ?? "int32") as unknown as "float32";
    const values = [onValue ?? 1, offValue ?? 0].map((value) => writing.graph.number(value, type));
    return writing.graph.node("OneHot", [only(writing), writing.graph.ints(depth!), ...values], {
      T: attr.type(type),
      axis: attr.int(-1),
    });
  },
  PadV2: (writing) => {
    const dtype = tensorOf(writing).dtype as "float32";
    const value = writing.graph.number(Number(writing.call.attrs["constantValue"]), dtype);
    return writing.graph.node("PadV2", [only(writing), paddings(writing), value], typed(writing));
  },
  MirrorPad: (writing) =>
    writing.graph.node("MirrorPad", [only(writing), paddings(writing)], {
      ...typed(writing),
      mode: attr.string(String(writing.call.attrs["mode"]).toUpperCase()),
    }),
  DepthToSpace: (writing) =>
    writing.graph.node("DepthToSpace", [only(writing)], {
      ...typed(writing),
      block_size: attr.int(Number(writing.call.attrs["blockSize"])),
      data_format: attr.string("NHWC"),
    }),
};

const several = (node: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => (index === 0 ? node : `${node}:${index}`));

function paddings({ graph, call }: GraphWriting): string {
  const pads = call.attrs["paddings"] as readonly (readonly [number, number])[];
  const read = (): Int32Array => Int32Array.from(pads.flat());
  return graph.constant({ name: "paddings", shape: [pads.length, 2], dtype: "int32", read });
}
