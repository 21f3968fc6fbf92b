import type { ByteSource } from "./byte-source.ts";
import { widenFloat8 } from "./float8.ts";
import { widenBfloat16, widenFloat16 } from "./half-float.ts";
import { WeightsError } from "../weights-error.ts";

/** Bytes of one element of each stored type. */
export const dtypeBytes = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  float8_e4m3fn: 1,
  float8_e5m2: 1,
  complex64: 8,
  complex128: 16,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint64: 8,
  uint32: 4,
  uint16: 2,
  uint8: 1,
  bool: 1,
} as const;

export type StoredType = keyof typeof dtypeBytes;

/**
 * Arrays that `read` returns: float32 for floats of every width, int32 for whole numbers, uint8 for bytes and
 * booleans.
 */
export type TensorData = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** One tensor of a file; its bytes stay there until `read` is called. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** The type in the file. */
  readonly dtype: StoredType;
  /** The place in the file, for errors. */
  readonly place: string;
  /** How the file stores it; missing if it does so element by element. */
  readonly form?: "sparse" | "quantized";
  /** The tensor's path in an HDF5 file, which is unique there; missing in other formats. */
  readonly path?: string;
  read(): TensorData;
  /** The elements as bytes of `dtype`: little-endian, in row-major order. */
  readBytes(): Uint8Array<ArrayBuffer>;
  /**
   * Reads `count` elements from `first` on into `into`, asynchronously. Only for tensors stored as float32 in this
   * order.
   */
  readPart?(first: number, count: number, into: Uint8Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>>;
}

/** Makes a `readPart` for float32 elements stored contiguously from `start` on. */
export function floatParts(source: ByteSource, start: number): NonNullable<NamedTensor["readPart"]> {
  return async (first, count, into) => {
    const place = [start + 4 * first, 4 * count, into] as const;
    const bytes = (await source.readAhead?.(...place)) ?? source.read(...place);
    return new Float32Array(bytes.buffer, bytes.byteOffset, count);
  };
}

/** A tensor whose bytes a file stores; `readBytes` gives them little-endian, in a buffer that `read` may reuse. */
export function storedTensor(file: string, tensor: Omit<NamedTensor, "read">): NamedTensor {
  const { dtype, place } = tensor;
  return { ...tensor, read: () => decodeElements(tensor.readBytes(), dtype, file, place) };
}

/** A tensor whose values are computed when they are read; `read` gives them in the type that `dtype` names. */
export function computedTensor(tensor: Omit<NamedTensor, "readBytes">): NamedTensor {
  return { ...tensor, readBytes: () => bytesOf(tensor.read()) };
}

/** A tensor that is already in memory. */
export function memoryTensor(name: string, shape: readonly number[], data: TensorData): NamedTensor {
  const dtype = data instanceof Float32Array ? "float32" : data instanceof Int32Array ? "int32" : "uint8";
  return computedTensor({ name, shape, dtype, place: name, read: () => data });
}

/** The bytes of an array, without a copy. */
function bytesOf(data: TensorData): Uint8Array<ArrayBuffer> {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** The number of elements; `[]` is a scalar. Not safe for sizes from a file: use `checkedCount` there. */
export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The number of elements of a shape from a file; undefined if the value is not a shape. */
export function checkedCount(shape: unknown): number | undefined {
  if (!Array.isArray(shape) || shape.length > 32) return undefined;
  let count = 1;
  for (const size of shape as unknown[]) {
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) return undefined;
    count *= size;
    if (count > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return count;
}

/** Decodes little-endian bytes. The result may reuse their buffer. */
export function decodeElements(
  bytes: Uint8Array<ArrayBuffer>,
  dtype: StoredType,
  file: string,
  place: string,
): TensorData {
  const buffer = bytes.byteOffset % dtypeBytes[dtype] === 0 ? bytes : new Uint8Array(bytes);
  const count = Math.floor(bytes.byteLength / dtypeBytes[dtype]);
  const over = [buffer.buffer, buffer.byteOffset, count] as const;
  switch (dtype) {
    case "float32":
      return new Float32Array(...over);
    case "int32":
      return new Int32Array(...over);
    case "uint8":
    case "bool":
      return new Uint8Array(...over);
    case "float16":
      return widenFloat16(new Uint16Array(...over));
    case "bfloat16":
      return widenBfloat16(new Uint16Array(...over));
    case "float8_e4m3fn":
    case "float8_e5m2":
      return widenFloat8(new Uint8Array(...over), dtype);
    case "complex64":
    case "complex128":
      throw new WeightsError(file, place, "holds complex numbers, which no layer takes");
    case "float64":
      return Float32Array.from(new Float64Array(...over));
    case "int8":
      return Int32Array.from(new Int8Array(...over));
    case "int16":
      return Int32Array.from(new Int16Array(...over));
    case "uint16":
      return Int32Array.from(new Uint16Array(...over));
    case "uint32":
      return narrow(new Uint32Array(...over), file, place);
    case "int64":
      return narrow(new BigInt64Array(...over), file, place);
    case "uint64":
      return narrow(new BigUint64Array(...over), file, place);
  }
}

/** Whole numbers as int32; throws for a number that does not fit. */
function narrow(
  values: Uint32Array | BigInt64Array | BigUint64Array,
  file: string,
  place: string,
): Int32Array<ArrayBuffer> {
  const out = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = Number(values[i]);
    out[i] = value;
    if (out[i] !== value) throw new WeightsError(file, place, `element ${i} is ${value}, which does not fit 32 bits`);
  }
  return out;
}

/** Turns big-endian elements into little-endian ones, in place. */
export function swapBytes(bytes: Uint8Array<ArrayBuffer>, dtype: StoredType): Uint8Array<ArrayBuffer> {
  // A complex number is two floats.
  const size = dtypeBytes[dtype] / (dtype.startsWith("complex") ? 2 : 1);
  for (let start = 0; start < bytes.byteLength; start += size) {
    for (let low = start, high = start + size - 1; low < high; low++, high--)
      [bytes[low], bytes[high]] = [bytes[high]!, bytes[low]!];
  }
  return bytes;
}
