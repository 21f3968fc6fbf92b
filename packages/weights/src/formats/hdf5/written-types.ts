import type { StoredType } from "../../bytes/named-tensor.ts";
import { WeightsError } from "../../weights-error.ts";

/** Text of any length in UTF-8, zero-terminated, as h5py writes it: a variable-length string type. */
// prettier-ignore
export const variableTextType = Uint8Array.of(
  0x19, 0x01, 0x01, 0x00, 16, 0, 0, 0,
  0x10, 0x00, 0x00, 0x00, 1, 0, 0, 0, 0, 0, 8, 0,
);

/** A number of a class, with the bits of its flags and what follows its size. */
function numberType(classAndVersion: number, flags: number, size: number, rest: readonly number[]): Uint8Array {
  return Uint8Array.of(classAndVersion, flags & 0xff, flags >> 8, 0, size, 0, 0, 0, ...rest);
}

/** An IEEE float: little-endian, its sign in the highest bit, normalized with an implied one. */
function float(size: number, exponentBits: number, mantissaBits: number): Uint8Array {
  const bias = 2 ** (exponentBits - 1) - 1;
  const sign = 8 * size - 1;
  const layout = [0, 0, 8 * size, 0, mantissaBits, exponentBits, 0, mantissaBits, bias & 0xff, bias >> 8, 0, 0];
  return numberType(0x11, 0x20 | (sign << 8), size, layout);
}

function integer(size: number, isSigned: boolean): Uint8Array {
  return numberType(0x10, isSigned ? 0x08 : 0, size, [0, 0, 8 * size, 0]);
}

/** h5py's booleans: an enumeration of FALSE and TRUE over 8-bit integers. */
const bool = Uint8Array.of(
  ...numberType(0x18, 2, 1, [...integer(1, true)]),
  ...[..."FALSE\0\0\0TRUE\0\0\0\0"].map((letter) => letter.charCodeAt(0)),
  0,
  1,
);

/** Two bytes without meaning to HDF5, as h5py writes ml_dtypes' bfloat16; an attribute tells what they are. */
const opaque2 = numberType(0x15, 0, 2, []);

const types: Readonly<Partial<Record<StoredType, Uint8Array>>> = {
  float64: float(8, 11, 52),
  float32: float(4, 8, 23),
  float16: float(2, 5, 10),
  bfloat16: opaque2,
  int64: integer(8, true),
  int32: integer(4, true),
  int16: integer(2, true),
  int8: integer(1, true),
  uint64: integer(8, false),
  uint32: integer(4, false),
  uint16: integer(2, false),
  uint8: integer(1, false),
  bool,
};

/** The datatype message of a stored type. */
export function dataTypeMessage(name: string, dtype: StoredType): Uint8Array {
  const type = types[dtype];
  if (type === undefined) throw new WeightsError(name, "", `HDF5 files hold no ${dtype}: write .safetensors or .pth`);
  return type;
}

/** Attributes that a tensor needs, so that Keras and this package know its type. */
export function typeAttributes(dtype: StoredType): Readonly<Record<string, string>> {
  return dtype === "bfloat16" ? { dtype } : {};
}
