import { OptionError } from "@convkit/errors";
import { isMultiple } from "../../recording/record.ts";
import type { Dim, RecordedTensor } from "../../recording/record.ts";
import { clip } from "./activations.ts";
import type { dataTypes } from "./graph.ts";
import { cast, finished } from "./kernel-writer.ts";
import type { KernelWriting, WriteKernel } from "./kernel-writer.ts";
import { windowKernels } from "./window-kernels.ts";

const end = 2 ** 31 - 1;

const only = ({ call, input }: KernelWriting): string => input(Object.keys(call.inputs)[0]!);
const onlyTensor = ({ call }: KernelWriting): RecordedTensor => Object.values(call.inputs)[0]!;
const all = ({ call, input }: KernelWriting): string[] => Object.keys(call.inputs).map(input);
const numbers = (value: unknown): number[] => [value].flat() as number[];
const rankOf = (writing: KernelWriting): number => onlyTensor(writing).shape.length;
const front = (axis: unknown, rank: number): number => (Number(axis) < 0 ? Number(axis) + rank : Number(axis));

const unary =
  (op: string): WriteKernel =>
  (writing) =>
    writing.graph.node(writing.prefix, op, [only(writing)]);
const binary =
  (op: string): WriteKernel =>
  (writing) =>
    writing.graph.node(writing.prefix, op, all(writing));
const named = (names: Readonly<Record<string, string>>, make: (op: string) => WriteKernel): [string, WriteKernel][] =>
  Object.entries(names).map(([kernel, op]) => [kernel, make(op)]);

const float = ({ graph, prefix }: KernelWriting, value: number): string => graph.floats(prefix, [value], []);

/** A number of the type of a tensor. */
function like({ graph, prefix }: KernelWriting, { dtype }: RecordedTensor, value: number): string {
  return dtype === "int32" ? graph.int32(prefix, [value], []) : graph.floats(prefix, [value], []);
}

function axesOf(writing: KernelWriting): { axes: number[]; keepdims: number } {
  const { axis, reductionIndices, keepDims } = writing.call.attrs;
  const rank = rankOf(writing);
  const given = axis ?? reductionIndices;
  const axes =
    given === undefined ? Array.from({ length: rank }, (_, i) => i) : numbers(given).map((i) => front(i, rank));
  return { axes, keepdims: keepDims === true ? 1 : 0 };
}

const reduce =
  (op: string): WriteKernel =>
  (writing) => {
    const { axes, keepdims } = axesOf(writing);
    if (axes.length === 0) return only(writing);
    return writing.graph.node(writing.prefix, op, [only(writing)], { axes, keepdims });
  };

/** All and any, as the minimum and maximum of zeros and ones. */
const reduceBool =
  (op: string): WriteKernel =>
  (writing) => {
    const { axes, keepdims } = axesOf(writing);
    const x = cast(writing, only(writing), "int32");
    return cast(writing, writing.graph.node(writing.prefix, op, [x], { axes, keepdims }), "bool");
  };

const place =
  (op: string): WriteKernel =>
  (writing) => {
    const axis = front(writing.call.attrs["axis"], rankOf(writing));
    return cast(writing, writing.graph.node(writing.prefix, op, [only(writing)], { axis, keepdims: 0 }), "int32");
  };

function product({ graph, prefix, call, input }: KernelWriting): string {
  const turned = (name: "a" | "b", key: string): string => {
    const rank = call.inputs[name]!.shape.length;
    const perm = Array.from({ length: rank }, (_, i) => (i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i));
    return call.attrs[key] === true ? graph.node(prefix, "Transpose", [input(name)], { perm }) : input(name);
  };
  return graph.node(prefix, "MatMul", [turned("a", "transposeA"), turned("b", "transposeB")]);
}

/** The running product along an axis of known size, slice by slice: ONNX has none of its own. */
function runningProduct(writing: KernelWriting): string {
  const { graph, prefix, call } = writing;
  const axis = front(call.attrs["axis"], rankOf(writing));
  const size = onlyTensor(writing).shape[axis];
  if (typeof size !== "number" || size > 256 || call.attrs["exclusive"] === true || call.attrs["reverse"] === true)
    throw new OptionError("expected a running product over at most 256 elements");
  const parts = graph.nodes(prefix, "Split", [only(writing)], size, { axis });
  const products = parts
    .slice(1)
    .reduce((done, part) => [...done, graph.node(prefix, "Mul", [done.at(-1)!, part])], [parts[0]!]);
  return graph.node(prefix, "Concat", products, { axis });
}

function stridedSlice(writing: KernelWriting): string {
  const { graph, prefix, call } = writing;
  const {
    begin,
    end: stop,
    strides,
    beginMask,
    endMask,
    ellipsisMask,
    newAxisMask,
    shrinkAxisMask,
  } = call.attrs as Record<string, unknown>;
  if (ellipsisMask !== 0 || newAxisMask !== 0)
    throw new OptionError("expected a slice without an ellipsis or new axes");
  const has = (mask: unknown, axis: number): boolean => (Number(mask) & (1 << axis)) !== 0;
  const axes = numbers(strides).map((_, axis) => axis);
  const steps = axes.map((axis) => (has(shrinkAxisMask, axis) ? 1 : numbers(strides)[axis]!));
  const bound = (value: unknown): number => {
    if (typeof value !== "number")
      throw new OptionError("expected the bounds of a slice that do not grow with the batch");
    return value;
  };
  const from = axes.map((axis) =>
    has(beginMask, axis) ? (steps[axis]! > 0 ? 0 : end) : bound((begin as unknown[])[axis]),
  );
  const to = axes.map((axis) => {
    if (has(shrinkAxisMask, axis)) return from[axis] === -1 ? end : from[axis]! + 1;
    // An end that grows with the batch is the end of the axis.
    const isWhole = sameMultiple((stop as Dim[])[axis], onlyTensor(writing).shape[axis]);
    return has(endMask, axis) || isWhole ? (steps[axis]! > 0 ? end : -end) : bound((stop as unknown[])[axis]);
  });
  const y = graph.node(prefix, "Slice", [only(writing), ...[from, to, axes, steps].map((list) => graph.ints(list))]);
  const gone = axes.filter((axis) => has(shrinkAxisMask, axis));
  return gone.length === 0 ? y : graph.node(prefix, "Squeeze", [y, graph.ints(gone)]);
}

const sameMultiple = (a: Dim | undefined, b: Dim | undefined): boolean =>
  isMultiple(a) && isMultiple(b) && a.times === b.times;

function slice(writing: KernelWriting): string {
  const { graph, prefix, call } = writing;
  const [begin, size] = [call.attrs["begin"], call.attrs["size"]].map((value) => [value].flat() as Dim[]) as [
    Dim[],
    Dim[],
  ];
  const { shape } = onlyTensor(writing);
  // A part that grows with the batch is the whole axis.
  const cut = shape.flatMap((whole, axis) => {
    const [start, length] = [begin[axis] ?? 0, size[axis] ?? -1];
    if (isMultiple(whole)) {
      const isWhole = start === 0 && (length === -1 || (isMultiple(length) && length.times === whole.times));
      if (isWhole) return [];
      if (typeof start !== "number" || typeof length !== "number")
        throw new OptionError("expected a slice that does not grow with the batch");
      return [{ axis, start, stop: length === -1 ? end : start + length }];
    }
    const from = start as number;
    return from === 0 && (length === -1 || length === whole)
      ? []
      : [{ axis, start: from, stop: length === -1 ? end : from + (length as number) }];
  });
  if (cut.length === 0) return only(writing);
  const lists = [cut.map(({ start }) => start), cut.map(({ stop }) => stop), cut.map(({ axis }) => axis)];
  return graph.node(prefix, "Slice", [only(writing), ...lists.map((list) => graph.ints(list))]);
}

function atan2(writing: KernelWriting): string {
  const { graph, prefix, input } = writing;
  const [y, x] = [input("a"), input("b")];
  const node = (op: string, ...inputs: string[]): string => graph.node(prefix, op, inputs);
  const [zero, pi, half] = [0, Math.PI, Math.PI / 2].map((value) => float(writing, value)) as [string, string, string];
  const angle = node("Atan", node("Div", y, x));
  const upper = node("GreaterOrEqual", y, zero);
  const left = node("Where", upper, node("Add", angle, pi), node("Sub", angle, pi));
  const axis = node(
    "Where",
    node("Greater", y, zero),
    half,
    node("Where", node("Less", y, zero), node("Neg", half), zero),
  );
  return node("Where", node("Greater", x, zero), angle, node("Where", node("Less", x, zero), left, axis));
}

/** `a - floor(a / b) b`: the remainder has the sign of `b`, as in tfjs. */
function modulo(writing: KernelWriting): string {
  const { graph, prefix, input } = writing;
  const [a, b] = [input("a"), input("b")];
  const quotient = graph.node(prefix, "Floor", [graph.node(prefix, "Div", [a, b])]);
  return graph.node(prefix, "Sub", [a, graph.node(prefix, "Mul", [quotient, b])]);
}

/** One writer for each kernel that a layer may run in prediction. */
export const kernelWriters: Readonly<Record<string, WriteKernel>> = {
  ...windowKernels,
  ...Object.fromEntries([
    ...[
      "Abs",
      "Acos",
      "Acosh",
      "Asin",
      "Asinh",
      "Atan",
      "Atanh",
      "Ceil",
      "Cos",
      "Cosh",
      "Elu",
      "Erf",
      "Exp",
      "Floor",
    ].map((op): [string, WriteKernel] => [op, unary(op)]),
    ...["Log", "Neg", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus"].map(
      (op): [string, WriteKernel] => [op, unary(op)],
    ),
    ...named({ IsInf: "IsInf", IsNan: "IsNaN", LogicalNot: "Not", Sqrt: "Sqrt", Tan: "Tan", Tanh: "Tanh" }, unary),
    ...named(
      {
        Add: "Add",
        AddN: "Sum",
        Maximum: "Max",
        Minimum: "Min",
        Multiply: "Mul",
        Pow: "Pow",
        RealDiv: "Div",
        Sub: "Sub",
      },
      binary,
    ),
    ...named(
      { Equal: "Equal", Greater: "Greater", GreaterEqual: "GreaterOrEqual", Less: "Less", LessEqual: "LessOrEqual" },
      binary,
    ),
    ...named({ LogicalAnd: "And", LogicalOr: "Or", LogicalXor: "Xor", Prelu: "PRelu" }, binary),
    ...named({ Max: "ReduceMax", Min: "ReduceMin", Prod: "ReduceProd" }, reduce),
    ...named({ All: "ReduceMin", Any: "ReduceMax" }, reduceBool),
    ...named({ ArgMax: "ArgMax", ArgMin: "ArgMin" }, place),
  ]),
  Identity: only,
  Sum: (writing) => {
    const { axes, keepdims } = axesOf(writing);
    if (axes.length === 0) return only(writing);
    return writing.graph.node(writing.prefix, "ReduceSum", [only(writing), writing.graph.ints(axes)], { keepdims });
  },
  Mean: (writing) => {
    const { axes, keepdims } = axesOf(writing);
    const x = onlyTensor(writing).dtype === "float32" ? only(writing) : cast(writing, only(writing), "float32");
    return writing.graph.node(writing.prefix, "ReduceMean", [x], { axes, keepdims });
  },
  Expm1: (writing) => writing.graph.node(writing.prefix, "Sub", [unary("Exp")(writing) as string, float(writing, 1)]),
  Log1p: (writing) =>
    writing.graph.node(writing.prefix, "Log", [
      writing.graph.node(writing.prefix, "Add", [only(writing), float(writing, 1)]),
    ]),
  Relu6: (writing) => clip(writing.graph, writing.prefix, only(writing), 0, 6),
  Rsqrt: (writing) => writing.graph.node(writing.prefix, "Reciprocal", [unary("Sqrt")(writing) as string]),
  Square: (writing) => writing.graph.node(writing.prefix, "Mul", [only(writing), only(writing)]),
  IsFinite: (writing) => {
    const { graph, prefix } = writing;
    const [nan, infinite] = ["IsNaN", "IsInf"].map((op) => graph.node(prefix, op, [only(writing)]));
    return graph.node(prefix, "Not", [graph.node(prefix, "Or", [nan!, infinite!])]);
  },
  Step: (writing) => {
    const { graph, prefix, call } = writing;
    const isAbove = graph.node(prefix, "Greater", [only(writing), float(writing, 0)]);
    return graph.node(prefix, "Where", [isAbove, float(writing, 1), float(writing, Number(call.attrs["alpha"] ?? 0))]);
  },
  ClipByValue: (writing) => {
    const x = onlyTensor(writing);
    const bounds = ["clipValueMin", "clipValueMax"].map((key) => like(writing, x, Number(writing.call.attrs[key])));
    return writing.graph.node(writing.prefix, "Clip", [only(writing), ...bounds]);
  },
  LeakyRelu: (writing) =>
    writing.graph.node(writing.prefix, "LeakyRelu", [only(writing)], {
      alpha: { float: Number(writing.call.attrs["alpha"]) },
    }),
  Softmax: (writing) => writing.graph.node(writing.prefix, "Softmax", [only(writing)], { axis: -1 }),
  LogSoftmax: (writing) =>
    writing.graph.node(writing.prefix, "LogSoftmax", [only(writing)], {
      axis: Number(writing.call.attrs["axis"] ?? -1),
    }),
  NotEqual: (writing) => writing.graph.node(writing.prefix, "Not", [binary("Equal")(writing) as string]),
  SquaredDifference: (writing) => {
    const difference = binary("Sub")(writing) as string;
    return writing.graph.node(writing.prefix, "Mul", [difference, difference]);
  },
  FloorDiv: (writing) => {
    const { graph, prefix } = writing;
    const isWhole = onlyTensor(writing).dtype === "int32";
    const operands = all(writing).map((x) => (isWhole ? cast(writing, x, "float32") : x));
    const y = graph.node(prefix, "Floor", [graph.node(prefix, "Div", operands)]);
    return isWhole ? cast(writing, y, "int32") : y;
  },
  Mod: (writing) => (onlyTensor(writing).dtype === "int32" ? binary("Mod")(writing) : modulo(writing)),
  Atan2: atan2,
  Select: ({ graph, prefix, input }) => graph.node(prefix, "Where", [input("condition"), input("t"), input("e")]),
  Cast: (writing) => cast(writing, only(writing), writing.call.attrs["dtype"] as "float32"),
  ZerosLike: (writing) => constantLike(writing, 0),
  OnesLike: (writing) => constantLike(writing, 1),
  Fill: (writing) => {
    const [output] = writing.call.outputs as [RecordedTensor];
    const value = like(writing, output, Number(writing.call.attrs["value"]));
    const filled = writing.graph.node(writing.prefix, "Expand", [value, writing.sizes(output.shape)]);
    return output.dtype === "bool" ? cast(writing, filled, "bool") : filled;
  },
  Range: (writing) => {
    const { start, step } = writing.call.attrs as { start: number; step: number };
    const [output] = writing.call.outputs as [RecordedTensor];
    const [length] = output.shape;
    if (typeof length !== "number") throw new OptionError("expected a range that does not grow with the batch");
    const values = Array.from({ length }, (_, i) => start + i * step);
    return output.dtype === "int32"
      ? writing.graph.int32(writing.prefix, values, [length])
      : writing.graph.floats(writing.prefix, values, [length]);
  },
  BatchMatMul: product,
  _FusedMatMul: (writing) => finished(writing, product(writing)),

  Reshape: (writing) => {
    const { shape } = writing.call.outputs[0]!;
    // ONNX infers one size.
    const isPlain = shape.filter(isMultiple).length === 1;
    const sizes = isPlain ? writing.graph.ints(shape.map((dim) => (isMultiple(dim) ? -1 : dim))) : writing.sizes(shape);
    return writing.graph.node(writing.prefix, "Reshape", [only(writing), sizes]);
  },
  ExpandDims: (writing) => {
    const axis = front(writing.call.attrs["dim"], rankOf(writing) + 1);
    return writing.graph.node(writing.prefix, "Unsqueeze", [only(writing), writing.graph.ints([axis])]);
  },
  Transpose: (writing) =>
    writing.graph.node(writing.prefix, "Transpose", [only(writing)], { perm: numbers(writing.call.attrs["perm"]) }),
  Concat: (writing) =>
    writing.graph.node(writing.prefix, "Concat", all(writing), {
      axis: front(writing.call.attrs["axis"], rankOf(writing)),
    }),
  Pack: (writing) => {
    const { graph, prefix, call } = writing;
    const axis = front(call.attrs["axis"] ?? 0, rankOf(writing) + 1);
    const parts = all(writing).map((x) => graph.node(prefix, "Unsqueeze", [x, graph.ints([axis])]));
    return graph.node(prefix, "Concat", parts, { axis });
  },
  Unpack: (writing) => {
    const { graph, prefix, call } = writing;
    const axis = front(call.attrs["axis"] ?? 0, rankOf(writing));
    const parts = graph.nodes(prefix, "Split", [only(writing)], call.outputs.length, { axis });
    return parts.map((part) => graph.node(prefix, "Squeeze", [part, graph.ints([axis])]));
  },
  SplitV: (writing) => {
    const { graph, prefix, call } = writing;
    const axis = front(call.attrs["axis"], rankOf(writing));
    const sizes = call.outputs.map(({ shape }) => shape[axis]!);
    return graph.nodes(prefix, "Split", [only(writing), writing.sizes(sizes)], sizes.length, { axis });
  },
  Slice: slice,
  StridedSlice: stridedSlice,
  Tile: (writing) =>
    writing.graph.node(writing.prefix, "Tile", [only(writing), writing.sizes(writing.call.attrs["reps"] as Dim[])]),
  BroadcastTo: (writing) =>
    writing.graph.node(writing.prefix, "Expand", [only(writing), writing.sizes(writing.call.outputs[0]!.shape)]),
  Reverse: (writing) => {
    const axes = numbers(writing.call.attrs["dims"]).map((axis) => front(axis, rankOf(writing)));
    if (axes.length === 0) return only(writing);
    const lists = [axes.map(() => -1), axes.map(() => -end), axes, axes.map(() => -1)];
    return writing.graph.node(writing.prefix, "Slice", [
      only(writing),
      ...lists.map((list) => writing.graph.ints(list)),
    ]);
  },
  GatherV2: ({ graph, prefix, call, input }) =>
    graph.node(prefix, "Gather", [input("x"), input("indices")], {
      axis: front(call.attrs["axis"] ?? 0, call.inputs["x"]!.shape.length),
    }),
  OneHot: (writing) => {
    const { graph, prefix, call } = writing;
    const { depth, onValue, offValue, dtype } = call.attrs as Record<string, number>;
    const values = graph.floats(prefix, [offValue ?? 0, onValue ?? 1], [2]);
    const indices = cast(writing, only(writing), "int64");
    const hot = graph.node(prefix, "OneHot", [indices, graph.ints([depth!]), values], { axis: -1 });
    const type = (dtype ?? "int32") as unknown as keyof typeof dataTypes;
    return type === "float32" ? hot : cast(writing, hot, type);
  },
  Cumsum: (writing) => {
    const { graph, prefix, call } = writing;
    const axis = graph.int32(prefix, [front(call.attrs["axis"], rankOf(writing))], []);
    return graph.node(prefix, "CumSum", [only(writing), axis], {
      exclusive: call.attrs["exclusive"] === true ? 1 : 0,
      reverse: call.attrs["reverse"] === true ? 1 : 0,
    });
  },
  Cumprod: runningProduct,
  PadV2: (writing) => {
    const pads = writing.call.attrs["paddings"] as readonly (readonly [number, number])[];
    const both = graphPads(pads);
    const value = like(writing, onlyTensor(writing), Number(writing.call.attrs["constantValue"]));
    return writing.graph.node(writing.prefix, "Pad", [only(writing), writing.graph.ints(both), value]);
  },
  MirrorPad: (writing) => {
    if (writing.call.attrs["mode"] !== "reflect") throw new OptionError("expected a padding by reflection");
    const both = graphPads(writing.call.attrs["paddings"] as readonly (readonly [number, number])[]);
    return writing.graph.node(writing.prefix, "Pad", [only(writing), writing.graph.ints(both)], { mode: "reflect" });
  },
  FusedBatchNorm: (writing) => {
    const { graph, prefix, call, input } = writing;
    const node = (op: string, ...inputs: string[]): string => graph.node(prefix, op, inputs);
    const deviation = node(
      "Sqrt",
      node("Add", input("variance"), float(writing, Number(call.attrs["varianceEpsilon"] ?? 1e-3))),
    );
    const normal = node("Div", node("Sub", input("x"), input("mean")), deviation);
    const scaled = call.inputs["scale"] === undefined ? normal : node("Mul", normal, input("scale"));
    return call.inputs["offset"] === undefined ? scaled : node("Add", scaled, input("offset"));
  },
};

const graphPads = (pads: readonly (readonly [number, number])[]): number[] => [
  ...pads.map(([before]) => before),
  ...pads.map(([, after]) => after),
];

function constantLike(writing: KernelWriting, value: number): string {
  const { graph, prefix, call } = writing;
  const shape = graph.node(prefix, "Shape", [only(writing)]);
  const [output] = call.outputs as [RecordedTensor];
  const filled = graph.node(prefix, "Expand", [like(writing, output, value), shape]);
  return output.dtype === "bool" ? cast(writing, filled, "bool") : filled;
}
