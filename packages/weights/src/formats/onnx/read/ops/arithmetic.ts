import { LayerScale } from "@convkit/core";
import * as tfl from "@tensorflow/tfjs-layers";
import { Power, Subtract } from "../../../../layers/base-layers.ts";
import { Clipped } from "../../../../layers/slicing.ts";
import { approximateGelu } from "../../../../layers/activations.ts";
import { aligned } from "../align.ts";
import type { Aligned } from "../align.ts";
import type { Builder } from "../builder.ts";
import type { Value } from "../value.ts";
import { floatsOf, scalarOf } from "../constant.ts";
import type { Constant, ElementKind } from "../constant.ts";
import type { OnnxNode } from "../node.ts";
import { sizeOfAxis } from "../signal.ts";
import type { Signal } from "../signal.ts";
import { sameSize } from "../sizes.ts";
import { activation, mapped } from "./activations.ts";
import { channelConstant } from "./kernels.ts";
import { isGelu, isTanhGelu, sourceOfSwish } from "./patterns.ts";
import type { Read } from "./read.ts";

type Op = "Add" | "Sub" | "Mul" | "Div";

/** A function of two operands by the table. */
export function binary(
  builder: Builder,
  node: OnnxNode,
  values: readonly Value[],
  op: string,
  type?: ElementKind,
): Value {
  const { parts, axes, physical } = aligned(builder, node, values);
  const own = type ?? (parts.some((part) => part.type === "float") ? "float" : parts[0]!.type);
  const isRaw = parts.every((part) => part.kind === "constant" || part.isRaw);
  const [x1, x2] = parts;
  const y = builder.operation(node, op, { x1, x2 }, [{ axes, physical, type: own }], isRaw)[0]!;
  return y.kind === "signal" ? { ...y, origin: { op: node.op, inputs: values } } : y;
}

const tableNames: Readonly<Record<Op, string>> = { Add: "add", Sub: "subtract", Mul: "multiply", Div: "truedivide" };

const arithmetic =
  (op: Op): Read =>
  (builder, node) => {
    const values = [builder.input(node, 0), builder.input(node, 1)];
    const found = op === "Mul" ? ofPattern(builder, node, values) : undefined;
    if (found !== undefined) return found;
    const together = aligned(builder, node, values);
    const result = asLayer(builder, node, op, together);
    if (result !== undefined)
      return { ...result, axes: together.axes, physical: together.physical, origin: { op, inputs: values } };
    // Whole numbers are divided towards 0.
    const isWhole = op === "Div" && together.parts.every((part) => part.type === "int");
    return binary(builder, node, values, isWhole ? "truncdivide" : tableNames[op]);
  };

/** Activations that files write as several nodes. */
function ofPattern(builder: Builder, node: OnnxNode, values: readonly Value[]): Value | undefined {
  const swish = sourceOfSwish(values);
  if (swish !== undefined) return activation(builder, node, swish.x, swish.name);
  const gelu = isGelu(values);
  if (gelu !== undefined) return activation(builder, node, gelu, "gelu");
  const tanhGelu = isTanhGelu(values);
  return tanhGelu === undefined ? undefined : activation(builder, node, tanhGelu, approximateGelu);
}

/** A layer that other formats know, too; undefined if only an operation of the table does this. */
function asLayer(builder: Builder, node: OnnxNode, op: Op, { parts, physical }: Aligned): Signal | undefined {
  const [a, b] = parts as [Signal | Constant, Signal | Constant];
  if (a.kind === "signal" && b.kind === "signal") return joined(builder, node, op, a, b, physical);
  if (a.kind === "constant" && b.kind === "constant") return undefined;
  const [x, constant] = (a.kind === "signal" ? [a, b] : [b, a]) as [Signal, Constant];
  const isFirst = a.kind === "signal";
  const size = constant.shape.reduce((product, side) => product * side, 1);
  const last = x.physical.at(-1);
  const isVector =
    constant.shape.length === 1 && last !== undefined && sizeOfAxis(last) === size && x.physical.length > 1;
  if ((size !== 1 && !isVector) || x.type !== "float" || (op === "Div" && !isFirst)) return undefined;
  if (constant.shape.length > x.physical.length) return undefined;
  const values = floatsOf(constant);
  if (isVector && op === "Mul" && !x.isRaw) {
    const affine = affineMap(builder, node, x, values);
    if (affine !== undefined) return affine;
    const make = (name: string): tfl.layers.Layer => new LayerScale({ name, initValues: 1, projectionDim: size });
    const tensor = builder.applyWeighted(node, x.tensor, node.outputs, make, { gamma: () => values });
    return { ...x, tensor, isRaw: false };
  }
  const all = (of: (value: number) => number): number | number[] =>
    size === 1 ? of(values[0]!) : Array.from(values, of);
  const [scale, offset]: [number | number[], number | number[]] =
    op === "Add"
      ? [1, all((value) => value)]
      : op === "Mul"
        ? [all((value) => value), 0]
        : op === "Div"
          ? [all((value) => 1 / value), 0]
          : isFirst
            ? [1, all((value) => -value)]
            : [-1, all((value) => value)];
  return mapped(builder, node, x, (name) => tfl.layers.rescaling({ name, scale, offset } as never));
}

/**
 * A factor and an offset of each channel as a 1x1 depthwise convolution, so that both train. Undefined without an offset,
 * and for lists.
 */
function affineMap(
  builder: Builder,
  node: OnnxNode,
  x: Signal,
  factors: Float32Array<ArrayBuffer>,
): Signal | undefined {
  const [output] = node.outputs;
  const sum = output === undefined ? undefined : builder.onlyUser(output);
  if (sum?.op !== "Add" || x.axes.length !== 4 || x.physical.length !== 4 || x.physical[3] !== x.axes[1])
    return undefined;
  const offset = channelConstant(builder, sum, output!, factors.length, 4);
  if (offset === undefined) return undefined;
  const make = (name: string): tfl.layers.Layer => tfl.layers.depthwiseConv2d({ name, kernelSize: 1 });
  const tensor = builder.applyWeighted(node, x.tensor, node.outputs, make, {
    depthwise_kernel: () => factors,
    bias: () => floatsOf(offset),
  });
  const y: Signal = { ...x, tensor, isRaw: false, origin: undefined };
  builder.skip(sum, y);
  return y;
}

function joined(
  builder: Builder,
  node: OnnxNode,
  op: Op,
  a: Signal,
  b: Signal,
  physical: Signal["physical"],
): Signal | undefined {
  const isFull = (signal: Signal): boolean =>
    signal.physical.length === physical.length &&
    signal.physical.every((axis, i) => sameSize(sizeOfAxis(axis), sizeOfAxis(physical[i]!)));
  if (a.type !== "float" || b.type !== "float" || a.physical.length !== b.physical.length || op === "Div")
    return undefined;
  if (!isFull(a) && (op === "Sub" || !isFull(b))) return undefined;
  const name = builder.layerName(node);
  const layer =
    op === "Add" ? tfl.layers.add({ name }) : op === "Mul" ? tfl.layers.multiply({ name }) : new Subtract({ name });
  const [tensor] = builder.apply(node, layer, [a.tensor, b.tensor]);
  return { ...a, tensor: tensor!, isRaw: a.isRaw && b.isRaw, origin: undefined };
}

const table =
  (op: string, type?: ElementKind): Read =>
  (builder, node) =>
    binary(builder, node, [builder.input(node, 0), builder.input(node, 1)], op, type);

const extreme =
  (kind: "Max" | "Min"): Read =>
  (builder, node) => {
    const values = node.inputs.map((_, index) => builder.input(node, index));
    return values.reduce((sum, value): Value => {
      const { parts, axes, physical } = aligned(builder, node, [sum, value]);
      const [a, b] = parts as [Signal | Constant, Signal | Constant];
      const [x, bound] = a.kind === "signal" ? [a, b] : [b, a];
      if (x.kind === "signal" && bound.kind === "constant" && bound.shape.length === 0) {
        const limit = scalarOf(bound);
        return mapped(
          builder,
          node,
          x,
          (name) => new Clipped({ name, ...(kind === "Max" ? { low: limit } : { high: limit }) }),
        );
      }
      if (
        a.kind === "signal" &&
        b.kind === "signal" &&
        String(a.physical.map(sizeOfAxis)) === String(b.physical.map(sizeOfAxis))
      ) {
        const name = builder.layerName(node);
        const layer = kind === "Max" ? tfl.layers.maximum({ name }) : tfl.layers.minimum({ name });
        return {
          ...a,
          tensor: builder.apply(node, layer, [a.tensor, b.tensor])[0]!,
          axes,
          physical,
          origin: undefined,
        };
      }
      return binary(builder, node, [sum, value], kind === "Max" ? "maximum" : "minimum");
    });
  };

const sumOf = (builder: Builder, node: OnnxNode): Value => {
  const values = node.inputs.map((_, index) => builder.input(node, index));
  return values.reduce((sum, value) => {
    const together = aligned(builder, node, [sum, value]);
    const layer = asLayer(builder, node, "Add", together);
    return layer === undefined
      ? binary(builder, node, [sum, value], "add")
      : { ...layer, axes: together.axes, physical: together.physical };
  });
};

export const arithmetics: Readonly<Record<string, Read>> = {
  Add: arithmetic("Add"),
  Sub: arithmetic("Sub"),
  Mul: arithmetic("Mul"),
  Div: arithmetic("Div"),
  Sum: sumOf,
  Mean: (builder, node) => {
    const sum = sumOf(builder, node);
    if (sum.kind !== "signal") return builder.refuse(node, "expected inputs that depend on the model's input");
    return mapped(builder, node, sum, (name) =>
      tfl.layers.rescaling({ name, scale: 1 / node.inputs.length, offset: 0 } as never),
    );
  },
  Pow: (builder, node) => {
    const [x, exponent] = [builder.input(node, 0), builder.input(node, 1)];
    if (x.kind !== "signal" || exponent.kind !== "constant" || exponent.shape.some((size) => size !== 1))
      return binary(builder, node, [x, exponent], "power");
    const power = scalarOf(exponent);
    return {
      ...mapped(builder, node, x, (name) => new Power({ name, exponent: power })),
      origin: { op: "Pow", inputs: [x, exponent] },
    };
  },
  Max: extreme("Max"),
  Min: extreme("Min"),
  Mod: (builder, node) =>
    binary(
      builder,
      node,
      [builder.input(node, 0), builder.input(node, 1)],
      builder.number(node, "fmod", 0) === 1 ? "fmod" : "mod",
    ),
  Equal: table("equal", "bool"),
  Greater: table("greater", "bool"),
  GreaterOrEqual: table("greaterequal", "bool"),
  Less: table("less", "bool"),
  LessOrEqual: table("lessequal", "bool"),
  And: table("logicaland", "bool"),
  Or: table("logicalor", "bool"),
  Xor: table("logicalxor", "bool"),
  Where: (builder, node) => {
    const { parts, axes, physical } = aligned(
      builder,
      node,
      [0, 1, 2].map((index) => builder.input(node, index)),
    );
    const [condition, x1, x2] = parts;
    const type = parts.slice(1).some((part) => part.type === "float") ? "float" : parts[1]!.type;
    return builder.operation(node, "where", { condition, x1, x2 }, [{ axes, physical, type }])[0]!;
  },
  PRelu: (builder, node) => {
    const slope = builder.constant(node, 1);
    const { parts, axes, physical } = aligned(builder, node, [builder.signal(node), slope]);
    const [x, alpha] = parts as [Signal, Constant];
    const sizes = physical.slice(1).map(sizeOfAxis);
    const own = [...sizes.map(() => 1), ...alpha.shape].slice(-sizes.length);
    if (alpha.shape.length > sizes.length || x.kind !== "signal")
      return builder.refuse(node, "expected slopes that do not differ between the images of a batch");
    const isScalar = alpha.shape.every((size) => size === 1);
    const count = sizes.at(-1);
    // tfjs' PReLU has a slope for each channel, at least.
    const shape =
      isScalar && typeof count === "number" ? own.map((_, axis) => (axis === own.length - 1 ? count : 1)) : own;
    const sharedAxes = shape.flatMap((size, axis) => (size === 1 ? [axis + 1] : []));
    const values = floatsOf(alpha);
    const full = (): Float32Array<ArrayBuffer> =>
      isScalar ? new Float32Array(shape.reduce((a, size) => a * size, 1)).fill(values[0]!) : values;
    const make = (name: string): tfl.layers.Layer => tfl.layers.prelu({ name, sharedAxes });
    const tensor = builder.applyWeighted(node, x.tensor, shape, make, { alpha: full });
    return { ...x, tensor, axes, physical, isRaw: false, origin: undefined };
  },
};
