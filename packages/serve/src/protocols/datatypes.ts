import { shown } from "@convkit/errors";
import { RequestError } from "../http/request-error.ts";

/** A datatype of the Open Inference Protocol: its bytes a value, and its values from little-endian bytes. */
interface Datatype {
  readonly bytes: number;
  /** Whole numbers from `least` to `most`; missing for floating point. */
  readonly range?: readonly [least: number, most: number];
  read(view: DataView, at: number): number;
}

const integer = (bytes: number, isSigned: boolean, read: Datatype["read"]): Datatype => {
  const count = 2 ** (8 * bytes);
  return { bytes, range: isSigned ? [-count / 2, count / 2 - 1] : [0, count - 1], read };
};

const datatypes = {
  BOOL: { bytes: 1, range: [0, 1], read: (view, at) => view.getUint8(at) },
  UINT8: integer(1, false, (view, at) => view.getUint8(at)),
  UINT16: integer(2, false, (view, at) => view.getUint16(at, true)),
  UINT32: integer(4, false, (view, at) => view.getUint32(at, true)),
  UINT64: integer(8, false, (view, at) => Number(view.getBigUint64(at, true))),
  INT8: integer(1, true, (view, at) => view.getInt8(at)),
  INT16: integer(2, true, (view, at) => view.getInt16(at, true)),
  INT32: integer(4, true, (view, at) => view.getInt32(at, true)),
  INT64: integer(8, true, (view, at) => Number(view.getBigInt64(at, true))),
  FP16: { bytes: 2, read: (view, at) => half(view.getUint16(at, true)) },
  BF16: { bytes: 2, read: (view, at) => bfloat(view.getUint16(at, true)) },
  FP32: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  FP64: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
} as const satisfies Record<string, Datatype>;

/** The datatypes of tensors of numbers. */
export type DatatypeName = keyof typeof datatypes;

export const datatypeNames = Object.keys(datatypes) as readonly DatatypeName[];

export function bytesOf(datatype: DatatypeName): number {
  return datatypes[datatype].bytes;
}

/**
 * The values of a binary tensor, as the models take them: bytes for UINT8, else float32. Throws for numbers that are not finite and for
 * whole numbers that float32 does not hold. FP64 is rounded.
 */
export function binaryValues(
  datatype: DatatypeName,
  bytes: Uint8Array<ArrayBuffer>,
  where: string,
): Float32Array | Uint8Array {
  if (datatype === "UINT8") return bytes;
  const { bytes: size, read }: Datatype = datatypes[datatype];
  // The tensor starts at a multiple of four: `bytes` is a copy of its own.
  if (datatype === "FP32") return checked(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4), where);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const data = new Float32Array(bytes.length / size);
  for (let i = 0; i < data.length; i++) data[i] = valueOf(datatype, read(view, i * size), where, i);
  return data;
}

/** The values of a tensor in JSON, as the models take them. */
export function jsonValues(
  datatype: DatatypeName,
  values: readonly unknown[],
  where: string,
): Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer> {
  if (datatype === "FP16" || datatype === "BF16")
    throw new RequestError(400, `${where}: expected FP16 and BF16 as binary tensors, got JSON; send FP32.`);
  const data = new (datatype === "UINT8" ? Uint8Array : Float32Array)(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    const isValue = datatype === "BOOL" ? typeof value === "boolean" : typeof value === "number";
    if (!isValue)
      throw new RequestError(
        400,
        `${where}[${i}]: expected ${datatype === "BOOL" ? "true or false" : "a number"}, got ${shown(value)}.`,
      );
    data[i] = valueOf(datatype, Number(value), where, i);
  }
  return data;
}

/** The value at the place `index` of `where`, which is written only into an error: a request has 100,000 of them. */
function valueOf(datatype: DatatypeName, value: number, where: string, index: number): number {
  const { range }: Datatype = datatypes[datatype];
  const rounded = Math.fround(value);
  if (!Number.isFinite(rounded))
    throw new RequestError(400, `${where}[${index}]: expected a finite float32 number, got ${shown(value)}.`);
  if (range === undefined) return value;
  const [least, most] = range;
  if (!Number.isInteger(value) || value < least || value > most)
    throw new RequestError(400, `${where}[${index}]: expected a whole number from ${least} to ${most}, got ${value}.`);
  if (rounded !== value)
    throw new RequestError(400, `${where}[${index}]: the model computes in float32, which does not hold ${value}.`);
  return value;
}

function checked(values: Float32Array, where: string): Float32Array {
  const wrong = notFinite(values);
  if (wrong < 0) return values;
  throw new RequestError(400, `${where}: expected finite numbers, got ${values[wrong]} at ${wrong}.`);
}

/** The place of the first value that is not finite, or -1. A loop: `findIndex` takes 20 times as long. */
function notFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i;
  return -1;
}

/** IEEE 754's binary16. */
function half(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

const word = new DataView(new ArrayBuffer(4));

/** bfloat16: the upper half of a float32. */
function bfloat(bits: number): number {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}
