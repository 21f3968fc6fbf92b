import type { TypedArray } from "../values/dtypes.ts";

/** JavaScript's values as the typed array of a tfjs type. */
export function typed(values: ArrayLike<number>, dtype: string): TypedArray {
  if (dtype === "int32") return values instanceof Int32Array ? values : Int32Array.from(values);
  if (dtype === "bool") return values instanceof Uint8Array ? values : Uint8Array.from(values);
  return values instanceof Float32Array ? values : Float32Array.from(values);
}

/**
 * True if all elements are equal, bit for bit. Compares the bytes with themselves shifted by one element, natively,
 * since constants may be big.
 */
export function isUniform({ buffer, byteOffset, byteLength, BYTES_PER_ELEMENT: width }: TypedArray): boolean {
  if (byteLength <= width) return true;
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  return bytes.subarray(width).equals(bytes.subarray(0, -width));
}
