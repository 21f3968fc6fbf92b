import { dtypeBytes } from "../../bytes/named-tensor.ts";
import type { StoredType } from "../../bytes/named-tensor.ts";
import { undefinedAddress } from "./bytes.ts";
import type { Hdf5Bytes } from "./bytes.ts";

/** The types of HDF5 that weight files hold. */
export type Hdf5Type =
  | { readonly kind: "number"; readonly dtype: StoredType; readonly size: number; readonly bigEndian: boolean }
  | { readonly kind: "text"; readonly size: number }
  | { readonly kind: "variable text"; readonly size: number }
  | { readonly kind: "other"; readonly size: number; readonly description: string };

const otherClasses = [
  "fixed-point",
  "floating-point",
  "time",
  "string",
  "bit field",
  "opaque",
  "compound",
  "reference",
  "enumeration",
  "variable-length",
  "array",
];

/** Reads a datatype message (HDF5 file format, IV.A.2.d). */
export function readType(bytes: Hdf5Bytes): Hdf5Type {
  const kindAndVersion = bytes.u8();
  const kind = kindAndVersion & 0x0f;
  const flags = bytes.uint(3);
  const size = bytes.u32();
  const bigEndian = (flags & 1) === 1;
  const other = (description: string): Hdf5Type => ({ kind: "other", size, description });
  if (kind === 0) {
    const dtype = `${(flags & 8) === 0 ? "uint" : "int"}${8 * size}`;
    return dtype in dtypeBytes
      ? { kind: "number", dtype: dtype as StoredType, size, bigEndian }
      : other(`${8 * size}-bit integers`);
  }
  if (kind === 1) {
    bytes.skip(4);
    const [exponentAt, exponentSize, , mantissaSize] = [bytes.u8(), bytes.u8(), bytes.u8(), bytes.u8()];
    const layout = `${size}:${exponentAt}:${exponentSize}:${mantissaSize}`;
    const dtype = floatLayouts[layout];
    return dtype === undefined ? other(`floats laid out as ${layout}`) : { kind: "number", dtype, size, bigEndian };
  }
  if (kind === 3) return { kind: "text", size };
  if (kind === 8) {
    // Read an enumeration as its base type; h5py writes booleans as enumerations.
    const base = readType(bytes);
    if (base.kind !== "number") return other("enumeration");
    return { ...base, size, ...(isBoolean(bytes, base.dtype, flags & 0xffff) && { dtype: "bool" }) };
  }
  if (kind === 9 && (flags & 0x0f) === 1) return { kind: "variable text", size };
  return other(otherClasses[kind] ?? `class ${kind}`);
}

/** Whether an enumeration's names, which follow its base type, are those of h5py's booleans: FALSE and TRUE. */
function isBoolean(bytes: Hdf5Bytes, base: StoredType, count: number): boolean {
  if (base !== "int8" || count !== 2 || bytes.left < 10) return false;
  // Where the integer's bits begin, and their number.
  bytes.skip(4);
  return bytes.textUpToZero() === "FALSE";
}

/** Float types by their size, exponent position, exponent size and mantissa size. */
const floatLayouts: Readonly<Record<string, StoredType>> = {
  "8:52:11:52": "float64",
  "4:23:8:23": "float32",
  "2:10:5:10": "float16",
  "2:7:8:7": "bfloat16",
};

const rankLimit = 32;

/** A shape, and how far each of its axes may grow: Infinity for an axis without end. */
export interface Hdf5Space {
  readonly shape: number[];
  readonly maxShape: number[];
}

/** Reads a dataspace message: the shape, `[]` for a scalar, undefined for "no data". */
export function readSpace(bytes: Hdf5Bytes, lengthSize: number): Hdf5Space | undefined {
  const version = bytes.u8();
  const rank = bytes.u8();
  const flags = bytes.u8();
  if (rank > rankLimit) bytes.fail(`${rank} axes, but HDF5 has at most ${rankLimit}`);
  if (version === 1) bytes.skip(5);
  else if (version === 2) {
    if (bytes.u8() === 2) return undefined;
  } else bytes.fail(`dataspace version ${version} is not known`);
  const shape = Array.from({ length: rank }, () => {
    const size = bytes.uint(lengthSize);
    return size >= 0 ? size : bytes.fail("a dimension without end");
  });
  if ((flags & 1) === 0) return { shape, maxShape: shape };
  const maxShape = shape.map((size) => {
    const most = bytes.uint(lengthSize);
    if (most === undefinedAddress) return Number.POSITIVE_INFINITY;
    return most >= size ? most : bytes.fail(`a dimension of ${size} that may grow to ${most}`);
  });
  return { shape, maxShape };
}
