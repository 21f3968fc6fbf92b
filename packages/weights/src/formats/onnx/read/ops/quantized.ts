import { countOf } from "../../../../bytes/named-tensor.ts";
import type { StoredType } from "../../../../bytes/named-tensor.ts";
import { naturalOrder, plain, range } from "../arrange.ts";
import type { Builder } from "../builder.ts";
import type { Value } from "../value.ts";
import { constantOf } from "../constant.ts";
import type { Constant } from "../constant.ts";
import type { OnnxNode } from "../node.ts";
import { placeOf } from "../signal.ts";
import type { Signal } from "../signal.ts";
import { binary } from "./arithmetic.ts";
import { convolution } from "./convolution.ts";
import { dense, matrixProduct } from "./dense.ts";
import type { Read } from "./read.ts";
import { shapeOfValue } from "./shape-of.ts";

/** Scale and zero point of a quantized tensor, of one number or of one for each position along an axis. */
interface Quantization {
  readonly scale: Constant;
  readonly zero: Constant | undefined;
}

/** The bounds of the quantized type, which is that of the zero point; uint8 without one. */
function boundsOf(builder: Builder, node: OnnxNode, zero: Constant | undefined): [number, number] {
  const stored = zero?.stored ?? "uint8";
  const bounds = bitBounds[stored];
  return bounds ?? builder.refuse(node, `quantizes to ${stored}, which is not known`);
}

const bitBounds: Readonly<Partial<Record<StoredType, [number, number]>>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65_535],
  int16: [-32_768, 32_767],
};

function scaled(builder: Builder, node: OnnxNode, x: Value, { scale, zero }: Quantization): Value {
  const values = x.kind === "constant" ? x : undefined;
  const rank = shapeOfValue(x).length;
  const axis = countOf(scale.shape) === 1 ? 0 : builder.axis(node, builder.number(node, "axis", 1), rank);
  const block = builder.number(node, "block_size", 0);
  if (block !== 0 && values === undefined)
    return builder.refuse(node, "quantizes what the run computes in blocks, which is not known");
  if (zero !== undefined && countOf(zero.shape) !== countOf(scale.shape))
    return builder.refuse(node, "expected as many zero points as scales");
  if (values !== undefined && block !== 0) {
    const wanted = values.shape.map((size, at) => (at === axis ? Math.ceil(size / block) : size));
    if (!(block > 0) || String(scale.shape) !== String(wanted))
      return builder.refuse(node, `expected scales of [${wanted.join(", ")}], got [${scale.shape.join(", ")}]`);
    return dequantized(values, axis, { scale, zero }, block);
  }
  if (values !== undefined) return dequantized(values, axis, { scale, zero });
  const { x: ready, args } = ranked(builder, node, x as Signal, axis, { scale, zero });
  const [y] = builder.operation(node, "dequantize", { x: ready, ...args }, [{ ...ready, type: "float" }], ready.isRaw);
  return y!;
}

/** Scale and zero point as numbers that broadcast along the tensor's axis. */
function ranked(
  builder: Builder,
  node: OnnxNode,
  given: Signal,
  axis: number,
  { scale, zero }: Quantization,
): { x: Signal; args: object } {
  if (countOf(scale.shape) === 1)
    return { x: given, args: { scale: scale.read()[0], zero_point: zero?.read()[0] ?? 0 } };
  const place = placeOf(given, axis);
  const order = naturalOrder(given);
  const x = place === undefined ? plain(builder, node, given, order) : given;
  const at = place ?? order.indexOf(axis);
  const trailing = range(at + 1, x.physical.length).map(() => 1);
  const column = (constant: Constant): Constant =>
    constantOf([countOf(constant.shape), ...trailing], "float", Float32Array.from(constant.read()));
  return { x, args: { scale: column(scale), zero_point: zero === undefined ? 0 : column(zero) } };
}

/** The numbers of a quantized constant, with a scale for each place of an axis or for each block of `block` places. */
function dequantized(x: Constant, axis: number, { scale, zero }: Quantization, block?: number): Constant {
  const read = (): Float32Array => {
    const [values, scales, zeros] = [x.read(), scale.read(), zero?.read()];
    const inner = countOf(x.shape.slice(axis + 1));
    const [count, size] = [countOf(scale.shape), x.shape[axis] ?? 1];
    const scaleAt = (at: number): number => {
      if (count === 1) return 0;
      const row = Math.floor(at / inner);
      if (block === undefined) return row % count;
      const outer = Math.floor(row / size) * Math.ceil(size / block);
      return (outer + Math.floor((row % size) / block)) * inner + (at % inner);
    };
    return Float32Array.from(values, (value, at) => {
      const own = scaleAt(at);
      return Math.fround(value - (zeros?.[own] ?? 0)) * scales[own]!;
    });
  };
  return { kind: "constant", name: x.name, shape: x.shape, type: "float", read };
}

function quantized(builder: Builder, node: OnnxNode, x: Value, at: number): Value {
  const [scale, zero] = [builder.constant(node, at), builder.optionalConstant(node, at + 1)];
  const [low, high] = boundsOf(builder, node, zero);
  if (x.kind === "sizes") return builder.refuse(node, "quantizes sizes");
  const axis =
    countOf(scale.shape) === 1 ? 0 : builder.axis(node, builder.number(node, "axis", 1), shapeOfValue(x).length);
  if (x.kind === "constant") {
    const axes = x.shape.map((size) => [{ size }]);
    if (countOf(scale.shape) > 1) return builder.refuse(node, "quantizes a constant along an axis, which is not known");
    const values = { x, scale: scale.read()[0], zero_point: zero?.read()[0] ?? 0, low, high };
    return builder.operation(node, "quantize", values, [{ axes, physical: axes, type: "float" }])[0]!;
  }
  const { x: ready, args } = ranked(builder, node, x, axis, { scale, zero });
  return builder.operation(
    node,
    "quantize",
    { x: ready, ...args, low, high },
    [{ ...ready, type: "float" }],
    ready.isRaw,
  )[0]!;
}

function part(builder: Builder, node: OnnxNode, index: number): Value {
  const zero = builder.optionalConstant(node, index + 2);
  return scaled(builder, { ...node, attributes: {} }, builder.input(node, index), {
    scale: builder.constant(node, index + 1),
    zero,
  });
}

/** A weight of a quantized node: its scales are those of its first axis, or of its last in a matrix product. */
function weightPart(builder: Builder, node: OnnxNode, index: number, axis: number): Constant {
  const weight = builder.constant(node, index);
  return dequantized(weight, axis, {
    scale: builder.constant(node, index + 1),
    zero: builder.optionalConstant(node, index + 2),
  });
}

/** The first input of a node over whole numbers, less its zero point, which may be known only when the model runs. */
function lessZero(builder: Builder, node: OnnxNode): Signal {
  const x = builder.signal(node);
  const zero = builder.optional(node, 2);
  if (zero === undefined) return x;
  if (zero.kind === "sizes" || countOf(shapeOfValue(zero).map(Number)) !== 1)
    return builder.refuse(node, "expected one zero point for its first input");
  const point = zero.kind === "constant" ? zero.read()[0] : zero;
  return builder.operation(node, "dequantize", { x, scale: 1, zero_point: point }, [
    { ...x, type: "float" },
  ])[0] as Signal;
}

/** A constant input of whole numbers, less its zero points: one, or one for each place of an axis. */
function constantLessZero(builder: Builder, node: OnnxNode, axis: number): Constant {
  const [weight, zero] = [builder.constant(node, 1), builder.optionalConstant(node, 3)];
  const count = zero === undefined ? 1 : countOf(zero.shape);
  const scale = constantOf([count], "float", new Float32Array(count).fill(1));
  return dequantized(weight, axis, { scale, zero });
}

export const quantizedReads: Readonly<Record<string, Read>> = {
  QuantizeLinear: (builder, node) => {
    if (
      builder.number(node, "output_dtype", 0) !== 0 &&
      builder.optional(node, 2) === undefined &&
      builder.number(node, "output_dtype", 0) !== 2
    )
      return builder.refuse(
        node,
        `quantizes to type ${builder.number(node, "output_dtype", 0)}, which is known with a zero point only`,
      );
    return quantized(builder, node, builder.input(node, 0), 1);
  },
  DequantizeLinear: (builder, node) =>
    scaled(builder, node, builder.input(node, 0), {
      scale: builder.constant(node, 1),
      zero: builder.optionalConstant(node, 2),
    }),
  QLinearConv: (builder, node) => {
    const x = part(builder, node, 0);
    if (x.kind !== "signal") return builder.refuse(node, "expected an input that depends on the model's input");
    const weight = weightPart(builder, node, 3, 0);
    const given = builder.optionalConstant(node, 8);
    const [inputScale, weightScales] = [builder.constant(node, 1).read()[0]!, builder.constant(node, 4)];
    const bias = given && {
      ...given,
      type: "float" as const,
      read: () =>
        Float32Array.from(
          given.read(),
          (value, at) => value * inputScale * weightScales.read()[countOf(weightScales.shape) === 1 ? 0 : at]!,
        ),
    };
    return quantized(builder, node, convolution(builder, node, x, { weight, bias }), 6);
  },
  QLinearMatMul: (builder, node) => {
    const a = part(builder, node, 0);
    const given = builder.input(node, 3);
    const b = given.kind === "constant" ? weightPart(builder, node, 3, given.shape.length - 1) : part(builder, node, 3);
    const y =
      a.kind === "signal" && b.kind === "constant" && b.shape.length === 2
        ? dense(builder, node, a, { kernel: b, bias: undefined }, "QLinearMatMul")
        : matrixProduct(builder, node, a, b);
    return quantized(builder, node, y, 6);
  },
  ConvInteger: (builder, node) =>
    convolution(builder, node, lessZero(builder, node), {
      weight: constantLessZero(builder, node, 0),
      bias: undefined,
    }),
  MatMulInteger: (builder, node) => {
    const a = lessZero(builder, node);
    const b = constantLessZero(builder, node, builder.constant(node, 1).shape.length - 1);
    return b.shape.length === 2
      ? dense(builder, node, a, { kernel: b, bias: undefined }, "MatMulInteger")
      : matrixProduct(builder, node, a, b);
  },
  DynamicQuantizeLinear: (builder, node) => {
    const x = builder.signal(node);
    const one = { axes: [], physical: [], type: "float" as const };
    return builder.operation(node, "dynamicquantize", { x }, [{ ...x, type: "float" }, one, one]);
  },
  QLinearAdd: (builder, node) =>
    quantized(builder, node, binary(builder, node, [part(builder, node, 0), part(builder, node, 3)], "add"), 6),
  QLinearMul: (builder, node) =>
    quantized(builder, node, binary(builder, node, [part(builder, node, 0), part(builder, node, 3)], "multiply"), 6),
};
