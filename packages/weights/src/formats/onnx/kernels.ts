import { OptionError } from "@convkit/errors";
import { front, numbers } from "../../recording/attributes.ts";
import { all, firstTensor, only, rankOf } from "../../recording/kernel-inputs.ts";
import type { RecordedTensor } from "../../recording/record.ts";
import { clip } from "./activations.ts";
import { cast, finished, like } from "./kernel-writer.ts";
import type { KernelWriting, WriteKernel } from "./kernel-writer.ts";
import { shapeKernels } from "./shape-kernels.ts";
import { windowKernels } from "./window-kernels.ts";

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
  const size = firstTensor(writing).shape[axis];
  if (typeof size !== "number" || size > 256 || call.attrs["exclusive"] === true || call.attrs["reverse"] === true)
    throw new OptionError("expected a running product over at most 256 elements");
  const parts = graph.nodes(prefix, "Split", [only(writing)], size, { axis });
  const products = parts
    .slice(1)
    .reduce((done, part) => [...done, graph.node(prefix, "Mul", [done.at(-1)!, part])], [parts[0]!]);
  return graph.node(prefix, "Concat", products, { axis });
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
  ...shapeKernels,
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
    const x = firstTensor(writing).dtype === "float32" ? only(writing) : cast(writing, only(writing), "float32");
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
    const x = firstTensor(writing);
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
    const isWhole = firstTensor(writing).dtype === "int32";
    const operands = all(writing).map((x) => (isWhole ? cast(writing, x, "float32") : x));
    const y = graph.node(prefix, "Floor", [graph.node(prefix, "Div", operands)]);
    return isWhole ? cast(writing, y, "int32") : y;
  },
  Mod: (writing) => (firstTensor(writing).dtype === "int32" ? binary("Mod")(writing) : modulo(writing)),
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

  Cumsum: (writing) => {
    const { graph, prefix, call } = writing;
    const axis = graph.int32(prefix, [front(call.attrs["axis"], rankOf(writing))], []);
    return graph.node(prefix, "CumSum", [only(writing), axis], {
      exclusive: call.attrs["exclusive"] === true ? 1 : 0,
      reverse: call.attrs["reverse"] === true ? 1 : 0,
    });
  },
  Cumprod: runningProduct,
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

function constantLike(writing: KernelWriting, value: number): string {
  const { graph, prefix, call } = writing;
  const shape = graph.node(prefix, "Shape", [only(writing)]);
  const [output] = call.outputs as [RecordedTensor];
  const filled = graph.node(prefix, "Expand", [like(writing, output, value), shape]);
  return output.dtype === "bool" ? cast(writing, filled, "bool") : filled;
}
