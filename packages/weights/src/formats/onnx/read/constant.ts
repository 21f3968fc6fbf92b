import { countOf } from "../../../bytes/named-tensor.ts";
import type { StoredType } from "../../../bytes/named-tensor.ts";

export type ElementKind = "float" | "int" | "bool";

/** A constant of the graph. Whole numbers are JavaScript numbers, since ONNX uses 2^63 - 1 for "to the end". */
export interface Constant {
  readonly kind: "constant";
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: ElementKind;
  /** The type in the file, for zero points, whose type is that of the quantized tensor. */
  readonly stored?: StoredType;
  /** The elements in row-major order; read from the file each time if they are many. */
  read(): ArrayLike<number>;
}

export function constantOf(
  shape: readonly number[],
  type: ElementKind,
  values: ArrayLike<number>,
  name = "",
): Constant {
  return { kind: "constant", name, shape, type, read: () => values };
}

/** The first element of a constant. */
export function scalarOf(constant: Constant): number {
  return constant.read()[0]!;
}

/** The elements as floats. */
export function floatsOf(constant: Constant): Float32Array<ArrayBuffer> {
  const values = constant.read();
  return values instanceof Float32Array ? (values as Float32Array<ArrayBuffer>) : Float32Array.from(values);
}

/** Permutes the axes of row-major elements: `out[i...] = values[i permuted]`, as `np.transpose` does. */
export function permuted(
  values: ArrayLike<number>,
  shape: readonly number[],
  order: readonly number[],
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(countOf(shape));
  const strides = shape.map((_, axis) => countOf(shape.slice(axis + 1)));
  const sizes = order.map((axis) => shape[axis]!);
  const steps = order.map((axis) => strides[axis]!);
  const rank = sizes.length;
  if (rank === 0) {
    out[0] = values[0]!;
    return out;
  }
  if (rank === 2 && order[0] === 1) {
    transposeMatrix(values, shape as [number, number], out);
    return out;
  }
  const isRun = steps[rank - 1] === 1 && values instanceof Float32Array;
  const [inner, innerStep] = [sizes[rank - 1]!, steps[rank - 1]!];
  const index = new Int32Array(rank);
  for (let at = 0, from = 0; at < out.length;) {
    if (isRun) {
      out.set(values.subarray(from, from + inner), at);
      at += inner;
    } else for (let i = 0, place = from; i < inner; i++, place += innerStep) out[at++] = values[place]!;
    for (let axis = rank - 2; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++index[axis]! < sizes[axis]!) break;
      from -= steps[axis]! * sizes[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

/** Transposes a matrix tile by tile, so that both sides stay in the processor's cache. */
function transposeMatrix(
  values: ArrayLike<number>,
  [rows, columns]: readonly [number, number],
  out: Float32Array,
): void {
  const tile = 32;
  for (let top = 0; top < rows; top += tile) {
    const bottom = Math.min(top + tile, rows);
    for (let left = 0; left < columns; left += tile) {
      const right = Math.min(left + tile, columns);
      for (let column = left; column < right; column++)
        for (let row = top, at = column * rows + top; row < bottom; row++) out[at++] = values[row * columns + column]!;
    }
  }
}
