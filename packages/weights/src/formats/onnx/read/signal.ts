import type * as tfl from "@tensorflow/tfjs-layers";
import type { ElementKind } from "./constant.ts";
import { exactly, productOf, sameSize } from "./sizes.ts";
import type { Size } from "./sizes.ts";

/** An indivisible part of an axis. Atoms are compared by identity. None has the size 1. */
export interface Atom {
  readonly size: Size;
}

/** An axis: its atoms, the outermost first. An axis without atoms has the size 1. */
export type Axis = readonly Atom[];

/**
 * A value that depends on the model's inputs. `axes` are ONNX' axes, `physical` those of the tensor: both hold the same
 * atoms. Transpose, Reshape, Squeeze and Unsqueeze change `axes` alone. Channels are kept last in `physical`.
 */
export interface Signal {
  readonly kind: "signal";
  readonly tensor: tfl.SymbolicTensor;
  readonly axes: readonly Axis[];
  readonly physical: readonly Axis[];
  readonly type: ElementKind;
  /** True if only elementwise functions lie between a model's input and this value. */
  readonly isRaw: boolean;
  /** The operation without weights that made this value, for patterns of several nodes. */
  readonly origin?: { readonly op: string; readonly inputs: readonly unknown[] } | undefined;
}

export function sizeOfAxis(axis: Axis): Size {
  return productOf(axis.map(({ size }) => size));
}

/** The sizes of a signal in ONNX' order. */
export function shapeOf({ axes }: Signal): Size[] {
  return axes.map(sizeOfAxis);
}

/** A new axis of this size. */
export function newAxis(size: Size): Axis {
  return size === 1 ? [] : [{ size }];
}

export function sameAxis(a: Axis, b: Axis): boolean {
  return a.length === b.length && a.every((atom, index) => atom === b[index]);
}

export function sameAxes(a: readonly Axis[], b: readonly Axis[]): boolean {
  return a.length === b.length && a.every((axis, index) => sameAxis(axis, b[index]!));
}

/** The place in the tensor of an ONNX axis; undefined if it is not one axis there. */
export function placeOf({ axes, physical }: Signal, axis: number): number | undefined {
  const own = axes[axis]!;
  if (own.length === 0) return undefined;
  const found = physical.findIndex((other) => sameAxis(own, other));
  return found === -1 ? undefined : found;
}

/**
 * The axes of a reshape, if it only joins axes and splits them. Replaces split atoms in `physical`. Undefined if the
 * reshape takes elements across the borders of atoms.
 */
export function regrouped(
  axes: readonly Axis[],
  physical: readonly Axis[],
  target: readonly Size[],
): { axes: Axis[]; physical: Axis[] } | undefined {
  const queue = axes.flat();
  const parts = new Map<Atom, Axis>();
  const result: Axis[] = [];
  for (const wanted of target) {
    const axis: Atom[] = [];
    let left: Size = wanted;
    while (left !== 1) {
      const atom = queue.shift();
      if (atom === undefined) return undefined;
      const rest = exactly(left, atom.size);
      if (rest !== undefined) {
        axis.push(atom);
        left = rest;
        continue;
      }
      const inner = exactly(atom.size, left);
      if (inner === undefined || sameSize(inner, 1) || left === 0) return undefined;
      const pair: [Atom, Atom] = [{ size: left }, { size: inner }];
      parts.set(atom, pair);
      axis.push(pair[0]);
      queue.unshift(pair[1]);
      left = 1;
    }
    result.push(axis);
  }
  if (queue.length > 0) return undefined;
  const whole = (atom: Atom): Axis => parts.get(atom)?.flatMap(whole) ?? [atom];
  const splitUp = (list: readonly Axis[]): Axis[] => list.map((axis) => axis.flatMap(whole));
  return { axes: splitUp(result), physical: splitUp(physical) };
}

/**
 * How a tensor with the axes `from` becomes one with the axes `to`: a reshape to `pieces`, a transpose by `order`, and a
 * reshape to `to`. Steps that change nothing are left out by the caller.
 */
export function arrangement(from: readonly Axis[], to: readonly Axis[]): { pieces: Axis[]; order: number[] } {
  const next = new Map<Atom, Atom>();
  for (const axis of to) for (let i = 0; i + 1 < axis.length; i++) next.set(axis[i]!, axis[i + 1]!);
  const pieces = from.flatMap((axis): Axis[] => {
    if (axis.length === 0) return [axis];
    const runs: Atom[][] = [];
    for (const atom of axis) {
      const run = runs.at(-1);
      if (run !== undefined && next.get(run.at(-1)!) === atom) run.push(atom);
      else runs.push([atom]);
    }
    return runs;
  });
  const starts = new Map(pieces.flatMap((piece, index) => (piece.length === 0 ? [] : [[piece[0]!, index] as const])));
  const ones = pieces.flatMap((piece, index) => (piece.length === 0 ? [index] : []));
  const order = to.flatMap((axis): number[] => {
    if (axis.length === 0) return ones.length > 0 ? [ones.shift()!] : [];
    return axis.flatMap((atom) => (starts.has(atom) ? [starts.get(atom)!] : []));
  });
  return { pieces, order: [...order, ...ones] };
}
