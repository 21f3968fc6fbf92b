/** A type of values: OpenVINO's number for it, and how JavaScript sees its memory. */
export interface ElementType {
  readonly name: string;
  readonly number: number;
  readonly view: (memory: ArrayBuffer) => NumberView | BigInt64Array;
  readonly bytes: number;
}

export type NumberView = Float32Array | Float64Array | Int32Array | Uint8Array;

/** The types that predictions take, by the numbers of `ov_element_type_e`. */
export const elementTypes: readonly ElementType[] = [
  { name: "float32", number: 4, bytes: 4, view: (memory) => new Float32Array(memory) },
  { name: "float64", number: 5, bytes: 8, view: (memory) => new Float64Array(memory) },
  { name: "int32", number: 9, bytes: 4, view: (memory) => new Int32Array(memory) },
  { name: "int64", number: 10, bytes: 8, view: (memory) => new BigInt64Array(memory) },
  { name: "uint8", number: 16, bytes: 1, view: (memory) => new Uint8Array(memory) },
  { name: "bool", number: 1, bytes: 1, view: (memory) => new Uint8Array(memory) },
];
