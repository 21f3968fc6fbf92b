import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { one, oneShape } from "./base-layers.ts";
import type { BaseArgs, Config, Inputs, Shape } from "./base-layers.ts";

/** An index, which removes the axis, or a slice of one axis. Null means an omitted bound, as in Python's `x[:]`. */
export type AxisSlice =
  | number
  | { readonly start: number | null; readonly stop: number | null; readonly step: number | null };

/** Python's `x[…]` with an index or a slice for every axis. */
export class Sliced extends tfl.layers.Layer {
  static className = "Sliced";
  readonly pieces: readonly AxisSlice[];

  constructor({ pieces, ...base }: BaseArgs & { pieces: readonly AxisSlice[] }) {
    super(base);
    this.pieces = pieces;
  }

  override computeOutputShape(shape: Shape): Shape {
    return oneShape(shape).flatMap((size, axis) => {
      const piece = this.pieces[axis]!;
      if (typeof piece === "number") return [];
      if (isWhole(piece)) return [size];
      return [size == null ? null : lengthOf(piece, size)];
    });
  }

  override call(inputs: Inputs): tf.Tensor {
    const x = one(inputs);
    const bits = (test: (piece: AxisSlice) => boolean): number =>
      this.pieces.reduce<number>((mask, piece, axis) => (test(piece) ? mask | (1 << axis) : mask), 0);
    const numbers = (of: (piece: AxisSlice) => number): number[] => this.pieces.map(of);
    // tfjs' wasm backend takes other elements where one call both drops an axis and steps, so a reshape drops axes.
    const taken = tf.stridedSlice(
      x,
      numbers((piece) => (typeof piece === "number" ? piece : (piece.start ?? 0))),
      numbers((piece) => (typeof piece === "number" ? piece + 1 : (piece.stop ?? 0))),
      numbers((piece) => (typeof piece === "number" ? 1 : (piece.step ?? 1))),
      bits((piece) => typeof piece !== "number" && piece.start === null),
      // The index -1 has no stop (-1 + 1 is 0), so it reads to the end.
      bits((piece) => (typeof piece === "number" ? piece === -1 : piece.stop === null)),
    );
    const dropped = [...this.pieces.keys()].filter((axis) => typeof this.pieces[axis] === "number");
    return dropped.length === 0 ? taken : tf.squeeze(taken, dropped);
  }

  override getConfig(): Config {
    return { ...super.getConfig(), pieces: this.pieces as never };
  }
}

function isWhole({ start, stop, step }: Exclude<AxisSlice, number>): boolean {
  return start === null && stop === null && (step ?? 1) === 1;
}

/** The number of elements of a Python slice. */
function lengthOf({ start, stop, step }: Exclude<AxisSlice, number>, size: number): number {
  const by = step ?? 1;
  const bound = (value: number | null, otherwise: number): number => {
    if (value === null) return otherwise;
    const from = value < 0 ? value + size : value;
    return by > 0 ? Math.min(Math.max(from, 0), size) : Math.min(Math.max(from, -1), size - 1);
  };
  const [from, to] = by > 0 ? [bound(start, 0), bound(stop, size)] : [bound(start, size - 1), bound(stop, -1)];
  return Math.max(0, Math.ceil((to - from) / by));
}

/** Joins tensors of one shape along a new axis. */
export class Stacked extends tfl.layers.Layer {
  static className = "Stacked";
  readonly axis: number;

  constructor({ axis = 0, ...base }: BaseArgs & { axis?: number }) {
    super(base);
    this.axis = axis;
  }

  override computeOutputShape(shape: Shape): Shape {
    const shapes = shape as tfl.Shape[];
    const sizes = shapes[0]!;
    const at = this.axis < 0 ? this.axis + sizes.length + 1 : this.axis;
    return [...sizes.slice(0, at), shapes.length, ...sizes.slice(at)];
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.stack(inputs as tf.Tensor[], this.axis);
  }

  override getConfig(): Config {
    return { ...super.getConfig(), axis: this.axis };
  }
}

/** Clips values to two bounds, either of which may be missing. Shape unchanged. */
export class Clipped extends tfl.layers.Layer {
  static className = "Clipped";
  readonly low: number | null;
  readonly high: number | null;

  constructor({ low, high, ...base }: BaseArgs & { low?: number | null; high?: number | null }) {
    super(base);
    this.low = low ?? null;
    this.high = high ?? null;
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const x = one(inputs);
      const above = this.low === null ? x : tf.maximum(x, this.low);
      return this.high === null ? above : tf.minimum(above, this.high);
    });
  }

  override getConfig(): Config {
    return { ...super.getConfig(), low: this.low, high: this.high };
  }
}
