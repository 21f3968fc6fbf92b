import type { StoredType } from "../../bytes/named-tensor.ts";

/** Text of any length in UTF-8, zero-terminated, as h5py writes it: a variable-length string type. */
// prettier-ignore
export const variableTextType = Uint8Array.of(
  0x19, 0x01, 0x01, 0x00, 16, 0, 0, 0,
  0x10, 0x00, 0x00, 0x00, 1, 0, 0, 0, 0, 0, 8, 0,
);

const float32 = Uint8Array.of(0x11, 0x20, 0x1f, 0x00, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0);
const int32 = Uint8Array.of(0x10, 0x08, 0x00, 0x00, 4, 0, 0, 0, 0, 0, 32, 0);
const uint8 = Uint8Array.of(0x10, 0x00, 0x00, 0x00, 1, 0, 0, 0, 0, 0, 8, 0);

/** The datatype message for the arrays that `read` returns for a stored type. */
export function dataTypeMessage(dtype: StoredType): Uint8Array {
  if (dtype === "uint8" || dtype === "bool") return uint8;
  return dtype.includes("float") ? float32 : int32;
}
