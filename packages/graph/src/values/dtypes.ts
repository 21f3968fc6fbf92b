import { GraphError } from "../graph-error.ts";

/** TensorFlow's DataType numbers (`tensorflow/core/framework/types.proto`) in use here. */
export const DT = {
  float32: 1,
  float64: 2,
  int32: 3,
  uint8: 4,
  string: 7,
  complex64: 8,
  int64: 9,
  bool: 10,
  bfloat16: 14,
  float16: 19,
  resource: 20,
} as const;

export type TypedArray = Float32Array | Int32Array | Uint8Array | Float64Array | BigInt64Array | Uint16Array;

const names = new Map<number, string>(Object.entries(DT).map(([name, number]) => [number, name]));

/** The name of a type for descriptions and errors: "float32" for 1. */
export function dtypeName(dtype: number): string {
  return names.get(dtype) ?? `dtype ${dtype}`;
}

const widths: Record<number, number> = {
  [DT.float32]: 4,
  [DT.float64]: 8,
  [DT.int32]: 4,
  [DT.uint8]: 1,
  [DT.complex64]: 8,
  [DT.int64]: 8,
  [DT.bool]: 1,
  [DT.bfloat16]: 2,
  [DT.float16]: 2,
};

/** Bytes of one element. */
export function widthOf(dtype: number): number {
  return widths[dtype] ?? 0;
}

/** The tfjs type for a TensorFlow type. tfjs has only one integer type, int32. */
export function tfjsType(dtype: number): "float32" | "int32" | "bool" | "complex64" | "string" {
  if (dtype === DT.float32 || dtype === DT.float64 || dtype === DT.bfloat16 || dtype === DT.float16) return "float32";
  if (dtype === DT.bool) return "bool";
  if (dtype === DT.complex64) return "complex64";
  if (dtype === DT.string || dtype === DT.resource) return "string";
  return "int32";
}

/** The TensorFlow type of a tfjs type. */
export function fromTfjs(dtype: string): number {
  const found = (DT as Record<string, number>)[dtype];
  if (found === undefined) throw new GraphError(`TensorFlow has no type for the tfjs type "${dtype}".`);
  return found;
}

/** A typed array in TensorFlow's memory layout; complex64 as pairs of float32. */
export function arrayFor(dtype: number, length: number): TypedArray {
  if (dtype === DT.float32) return new Float32Array(length);
  if (dtype === DT.complex64) return new Float32Array(2 * length);
  if (dtype === DT.float64) return new Float64Array(length);
  if (dtype === DT.int32) return new Int32Array(length);
  if (dtype === DT.int64) return new BigInt64Array(length);
  if (dtype === DT.bfloat16 || dtype === DT.float16) return new Uint16Array(length);
  return new Uint8Array(length);
}

/** The number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
