import { countOf } from "../../../bytes/named-tensor.ts";
import { channelsLast, orderOf, plain, range } from "./arrange.ts";
import type { Builder } from "./builder.ts";
import type { Value } from "./value.ts";
import { constantOf, permuted } from "./constant.ts";
import type { Constant } from "./constant.ts";
import type { OnnxNode } from "./node.ts";
import { newAxis, shapeOf, sizeOfAxis } from "./signal.ts";
import type { Atom, Axis, Signal } from "./signal.ts";
import { isKnownSize, sameSize, shapeText } from "./sizes.ts";

/** Operands that broadcast together as their tensors stand, and the axes of the result. */
export interface Aligned {
  readonly parts: readonly (Signal | Constant)[];
  readonly axes: readonly Axis[];
  readonly physical: readonly Axis[];
}

/** Arranges the operands of an elementwise operation, so that tfjs broadcasts them as ONNX does. */
export function aligned(builder: Builder, node: OnnxNode, values: readonly Value[]): Aligned {
  const operands = values.map((value) => operandOf(builder, node, value));
  const rank = Math.max(...operands.map((value) => (value.kind === "signal" ? value.axes.length : value.shape.length)));
  const wide = operands.map((value) => (value.kind === "signal" ? widened(value, rank) : value));
  const signals = wide.filter((value) => value.kind === "signal");
  const [first] = signals;
  if (first === undefined) return constants(builder, node, wide as Constant[]);
  const isSame = signals.every((signal) => signatureOf(signal) === signatureOf(first));
  if (isSame) {
    const parts = wide.map((value) => (value.kind === "signal" ? value : besides(value, first)));
    if (parts.every((part) => part !== undefined))
      return { parts: parts as (Signal | Constant)[], axes: first.axes, physical: first.physical };
  }
  return byAxes(builder, node, wide, rank);
}

function operandOf(builder: Builder, node: OnnxNode, value: Value): Signal | Constant {
  if (value.kind !== "sizes") return value;
  if (!value.items.every(isKnownSize)) return builder.refuse(node, "computes with a size that only the run knows");
  return constantOf(value.isScalar ? [] : [value.items.length], "int", value.items as number[]);
}

/** Adds axes of size 1 in front. */
function widened(signal: Signal, rank: number): Signal {
  const missing = rank - signal.axes.length;
  return missing === 0
    ? signal
    : { ...signal, axes: [...Array.from({ length: missing }, (): Axis => []), ...signal.axes] };
}

/** A text that is equal for signals whose tensors hold ONNX' axes in the same way. */
function signatureOf({ axes, physical }: Signal): string {
  const names = new Map<Atom, string>();
  for (const [index, axis] of axes.entries())
    for (const [part, atom] of axis.entries()) names.set(atom, `${index}.${part}:${shapeText([atom.size])}`);
  return `${axes.length}|${physical.map((axis) => axis.map((atom) => names.get(atom)).join(",")).join("|")}`;
}

/** A constant in the order of a signal's tensor; undefined if it is larger than the signal along an axis. */
function besides(constant: Constant, signal: Signal): Constant | undefined {
  const { axes, physical } = signal;
  if (countOf(constant.shape) === 1) return constantOf([], constant.type, constant.read(), constant.name);
  const own = [...range(0, axes.length - constant.shape.length).map(() => 1), ...constant.shape];
  const present = new Map<Atom, number>();
  for (const [index, axis] of axes.entries()) {
    if (own[index] !== 1 && own[index] !== sizeOfAxis(axis)) return undefined;
    for (const atom of axis) present.set(atom, own[index] === 1 ? 1 : (atom.size as number));
  }
  const atoms = axes.flat();
  const order = physical.flat().map((atom) => atoms.indexOf(atom));
  const turned = permuted(
    constant.read(),
    atoms.map((atom) => present.get(atom)!),
    order,
  );
  // An axis of several atoms, of which the constant has only some, needs it repeated along the others.
  const isMixed = physical.some((axis) => new Set(axis.map((atom) => present.get(atom) === atom.size)).size > 1);
  if (isMixed) return undefined;
  const shape = physical.map((axis) => axis.reduce((size, atom) => size * present.get(atom)!, 1));
  while (shape[0] === 1) shape.shift();
  return constantOf(shape, constant.type, turned, constant.name);
}

/** Arranges every operand with one axis of its tensor for each axis of the result. */
function byAxes(builder: Builder, node: OnnxNode, operands: readonly (Signal | Constant)[], rank: number): Aligned {
  const signals = operands.filter((value) => value.kind === "signal");
  const isMap = (order: number[] | undefined): boolean =>
    order !== undefined && String(order) === String(channelsLast(rank));
  const order =
    rank >= 3 && signals.some((signal) => isMap(orderOf(signal)) && signal.physical.flat().length > 1)
      ? channelsLast(rank)
      : range(0, rank);
  const turned = signals.map((signal) => plain(builder, node, signal, order));
  const axes = range(0, rank).map((index): Axis => {
    const candidates = turned.flatMap((signal) => (signal.axes[index]!.length === 0 ? [] : [signal.axes[index]!]));
    const size = candidates[0] && sizeOfAxis(candidates[0]);
    const odd = candidates.find(
      (axis) => isKnownSize(sizeOfAxis(axis)) && isKnownSize(size!) && !sameSize(sizeOfAxis(axis), size),
    );
    if (odd !== undefined) refuseShapes(builder, node, operands);
    const ofConstants = operands.flatMap((value) =>
      value.kind === "constant" ? [value.shape[index - rank + value.shape.length] ?? 1] : [],
    );
    const own = ofConstants.find((other) => other !== 1);
    if (own !== undefined && size !== undefined && isKnownSize(size) && own !== size)
      refuseShapes(builder, node, operands);
    return candidates[0] ?? newAxis(own ?? 1);
  });
  let next = 0;
  const parts = operands.map((value) => {
    if (value.kind === "signal") return turned[next++]!;
    const shape = [...range(0, rank - value.shape.length).map(() => 1), ...value.shape];
    const values = permuted(value.read(), shape, order);
    return constantOf(
      order.map((axis) => shape[axis]!),
      value.type,
      values,
      value.name,
    );
  });
  return { parts, axes, physical: order.map((axis) => axes[axis]!) };
}

function constants(builder: Builder, node: OnnxNode, parts: readonly Constant[]): Aligned {
  const rank = Math.max(...parts.map(({ shape }) => shape.length));
  const axes = range(0, rank).map((index) => {
    const sizes = new Set(parts.map(({ shape }) => shape[index - rank + shape.length] ?? 1));
    sizes.delete(1);
    if (sizes.size > 1) refuseShapes(builder, node, parts);
    return newAxis([...sizes][0] ?? 1);
  });
  return { parts, axes, physical: axes };
}

function refuseShapes(builder: Builder, node: OnnxNode, operands: readonly (Signal | Constant)[]): never {
  const shapes = operands.map((value) => shapeText(value.kind === "signal" ? shapeOf(value) : value.shape));
  return builder.refuse(node, `expected shapes that broadcast together, got ${shapes.join(" and ")}`);
}
