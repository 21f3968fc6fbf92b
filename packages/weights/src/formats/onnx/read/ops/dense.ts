import * as tfl from "@tensorflow/tfjs-layers";
import { arranged, plain, range } from "../arrange.ts";
import type { Builder } from "../builder.ts";
import type { Value } from "../value.ts";
import { constantOf, floatsOf, permuted } from "../constant.ts";
import type { Constant } from "../constant.ts";
import type { OnnxNode } from "../node.ts";
import { newAxis, shapeOf, sizeOfAxis } from "../signal.ts";
import type { Axis, Signal } from "../signal.ts";
import { sameSize, shapeText } from "../sizes.ts";
import { binary } from "./arithmetic.ts";
import type { Read } from "./read.ts";

interface DenseArgs {
  /** `[inputs, units]`. */
  readonly kernel: Constant;
  readonly bias: Constant | undefined;
}

/**
 * A dense layer over the last axis. Where that axis is a flattened map, the kernel's rows are permuted to the order of
 * channels last.
 */
export function dense(builder: Builder, node: OnnxNode, x: Signal, { kernel, bias }: DenseArgs, key: unknown): Signal {
  const [inputs, units] = kernel.shape as [number, number];
  const last = x.axes.at(-1) ?? [];
  if (!sameSize(sizeOfAxis(last), inputs))
    return builder.refuse(
      node,
      `its kernel of [${kernel.shape.join(", ")}] does not fit an input of ${shapeText(shapeOf(x))}`,
    );
  const order = x.physical.flat().filter((atom) => last.includes(atom));
  const others = x.physical.map((axis) => axis.filter((atom) => !last.includes(atom)));
  const outer = others.filter((axis) => axis.length > 0);
  const before = outer.length === 0 ? [[]] : outer;
  const ready = arranged(builder, node, x, [...before, order]);
  const rows = order.map((atom) => last.indexOf(atom));
  const isTurned = rows.some((row, place) => row !== place);
  const sizes = last.map(({ size }) => size as number);
  const values = (): Float32Array<ArrayBuffer> =>
    isTurned ? permuted(kernel.read(), [...sizes, units], [...rows, last.length]) : floatsOf(kernel);
  const make = (name: string): tfl.layers.Layer => tfl.layers.dense({ name, units, useBias: bias !== undefined });
  const tensor = builder.applyWeighted(node, ready.tensor, [key, rows, inputs, bias?.name], make, {
    kernel: values,
    bias: bias === undefined ? undefined : () => floatsOf(bias),
  });
  const out = newAxis(units);
  return {
    ...ready,
    tensor,
    axes: [...x.axes.slice(0, -1), out],
    physical: [...before, out],
    isRaw: false,
    origin: undefined,
  };
}

/** The constant that the only user of a product adds to its last axis. */
function biasAfter(builder: Builder, node: OnnxNode, units: number): { bias: Constant; sum: OnnxNode } | undefined {
  const [output] = node.outputs;
  const sum = output === undefined ? undefined : builder.onlyUser(output);
  if (sum?.op !== "Add" || sum.domain !== "" || sum.inputs.length !== 2) return undefined;
  const name = sum.inputs[0] === output ? sum.inputs[1]! : sum.inputs[0]!;
  const other = builder.values.get(name) ?? builder.onnx.constants.get(name);
  if (other?.kind !== "constant" || other.shape.at(-1) !== units || other.shape.slice(0, -1).some((size) => size !== 1))
    return undefined;
  return { bias: other, sum };
}

/** The product of two tensors, which NumPy's `@` broadcasts. */
export function matrixProduct(builder: Builder, node: OnnxNode, a: Value, b: Value): Value {
  if (a.kind === "sizes" || b.kind === "sizes") return builder.refuse(node, "multiplies sizes that only the run knows");
  const rankOf = (value: Signal | Constant): number =>
    value.kind === "signal" ? value.axes.length : value.shape.length;
  const part = (value: Signal | Constant): Signal | Constant =>
    value.kind === "signal" ? plain(builder, node, value, range(0, rankOf(value))) : value;
  const [x1, x2] = [part(a), part(b)];
  const axesOf = (value: Signal | Constant): readonly Axis[] =>
    value.kind === "signal" ? value.axes : value.shape.map((size) => newAxis(size));
  const [left, right] = [axesOf(x1), axesOf(x2)];
  if (left.length < 2 || right.length < 2) return builder.refuse(node, "expected matrices, got a vector");
  if (!sameSize(sizeOfAxis(left.at(-1)!), sizeOfAxis(right.at(-2)!)))
    return builder.refuse(
      node,
      `expected matrices that fit, got ${shapeText(left.map(sizeOfAxis))} and ${shapeText(right.map(sizeOfAxis))}`,
    );
  const rank = Math.max(left.length, right.length);
  const outer = range(0, rank - 2).map((index): Axis => {
    const [one, other] = [left[index - rank + left.length], right[index - rank + right.length]];
    return one === undefined || one.length === 0 ? (other ?? []) : one;
  });
  const axes = [...outer, left.at(-2)!, right.at(-1)!.length === 0 ? [] : newAxis(sizeOfAxis(right.at(-1)!))];
  return builder.operation(node, "matmul", { x1, x2 }, [{ axes, physical: axes, type: "float" }])[0]!;
}

export const products: Readonly<Record<string, Read>> = {
  MatMul: (builder, node) => {
    const [a, b] = [builder.input(node, 0), builder.input(node, 1)];
    if (a.kind !== "signal" || b.kind !== "constant" || b.shape.length !== 2 || a.axes.length < 2)
      return matrixProduct(builder, node, a, b);
    const { sum, bias } = biasAfter(builder, node, b.shape[1]!) ?? {};
    const y = dense(builder, node, a, { kernel: b, bias }, "MatMul");
    if (sum !== undefined) builder.skip(sum, y);
    return y;
  },
  Gemm: (builder, node) => {
    const [a, b] = [builder.input(node, 0), builder.input(node, 1)];
    const [alpha, beta] = [builder.number(node, "alpha", 1), builder.number(node, "beta", 1)];
    const [turnsA, turnsB] = [builder.number(node, "transA", 0) === 1, builder.number(node, "transB", 0) === 1];
    const c = builder.optional(node, 2);
    const times = (value: Value, factor: number): Value =>
      factor === 1 ? value : binary(builder, node, [value, constantOf([], "float", [factor])], "multiply");
    const isPlain =
      a.kind === "signal" && b.kind === "constant" && !turnsA && b.shape.length === 2 && a.axes.length === 2;
    if (!isPlain) {
      const turned = (value: Value, turns: boolean): Value => (turns ? transposedMatrix(builder, node, value) : value);
      const product = times(matrixProduct(builder, node, turned(a, turnsA), turned(b, turnsB)), alpha);
      return c === undefined ? product : binary(builder, node, [product, times(c, beta)], "add");
    }
    const [rows, columns] = b.shape as [number, number];
    const shape = turnsB ? [columns, rows] : [rows, columns];
    const scaled = (values: ArrayLike<number>, factor: number): ArrayLike<number> =>
      factor === 1 ? values : Float32Array.from(values, (value) => value * factor);
    const kernel: Constant = {
      ...constantOf(shape, "float", [], b.name),
      read: () => scaled(turnsB ? permuted(b.read(), [rows, columns], [1, 0]) : b.read(), alpha),
    };
    const units = shape[1]!;
    const isBias =
      c?.kind === "constant" &&
      c.shape.reduce((product, size) => product * size, 1) === units &&
      (c.shape.at(-1) ?? 1) === units;
    const isOne = c?.kind === "constant" && c.shape.every((size) => size === 1);
    const bias =
      c?.kind === "constant" && (isBias || isOne)
        ? constantOf(
            [units],
            "float",
            scaled(isBias ? c.read() : new Float32Array(units).fill(c.read()[0]!), beta),
            c.name,
          )
        : undefined;
    const y = dense(builder, node, a, { kernel, bias }, ["Gemm", alpha, beta, turnsB]);
    if (c === undefined || bias !== undefined) return y;
    return binary(builder, node, [y, times(c, beta)], "add");
  },
  Einsum: (builder, node) => {
    const operands = node.inputs.map((_, index) => {
      const value = builder.input(node, index);
      if (value.kind === "sizes") return builder.refuse(node, "multiplies sizes that only the run knows");
      return value.kind === "signal" ? plain(builder, node, value, range(0, value.axes.length)) : value;
    });
    const equation = builder.word(node, "equation", "").replaceAll(" ", "");
    const subscripts = equation.includes("->") ? equation : `${equation}->${onceNamed(equation)}`;
    const [inputs, output] = subscripts.split("->");
    const found = new Map<string, Axis>();
    for (const [index, labels] of (inputs ?? "").split(",").entries())
      for (const [axis, label] of [...labels].entries()) {
        const value = operands[index];
        const own =
          value?.kind === "signal"
            ? value.axes[axis]
            : value === undefined
              ? undefined
              : newAxis(value.shape[axis] ?? 1);
        if (own === undefined) return builder.refuse(node, `its equation "${subscripts}" does not fit its inputs`);
        if (!found.has(label)) found.set(label, own);
      }
    if (output === undefined || [...output].some((label) => !found.has(label)))
      return builder.refuse(node, `expected an equation with "->", got "${subscripts}"`);
    const axes = [...output].map((label) => found.get(label)!);
    return builder.operation(node, "einsum", { subscripts, operands }, [{ axes, physical: axes, type: "float" }])[0]!;
  },
};

/** The labels that an equation without an output has once, in alphabetical order: its output. */
function onceNamed(equation: string): string {
  const labels = [...equation.replaceAll(",", "")];
  return labels
    .filter((label) => labels.indexOf(label) === labels.lastIndexOf(label))
    .toSorted()
    .join("");
}

function transposedMatrix(builder: Builder, node: OnnxNode, value: Value): Value {
  if (value.kind === "signal") return { ...value, axes: value.axes.toReversed() };
  if (value.kind === "constant" && value.shape.length === 2)
    return constantOf(value.shape.toReversed(), value.type, permuted(value.read(), value.shape, [1, 0]));
  return builder.refuse(node, "expected a matrix");
}
