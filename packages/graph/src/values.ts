import type { TypedArray } from "./dtypes.ts";

/** JavaScript's values as the typed array of a tfjs type. */
export function typed(values: ArrayLike<number>, dtype: string): TypedArray {
  if (dtype === "int32") return values instanceof Int32Array ? values : Int32Array.from(values);
  if (dtype === "bool") return values instanceof Uint8Array ? values : Uint8Array.from(values);
  return values instanceof Float32Array ? values : Float32Array.from(values);
}

/** Whether all elements are equal. */
export function isUniform(values: TypedArray): boolean {
  const [first] = values;
  return values.every((value: number | bigint) => Object.is(value, first));
}
