import { dtypeBytes, storedTensor } from "../../bytes/named-tensor.ts";
import type { NamedTensor, StoredType } from "../../bytes/named-tensor.ts";
import { namedTensor } from "./stored-tensor.ts";
import type { BytesOf, StridedTensor } from "./stored-tensor.ts";

/** A tensor whose elements are computed from other tensors of the file: a sparse or a quantized one. */
export interface ComposedTensor {
  readonly kind: "sparse" | "quantized";
  readonly shape: readonly number[];
  /** The type of its elements. */
  readonly dtype: StoredType;
  readonly parts: readonly StridedTensor[];
  /** The elements as bytes of `dtype`, little-endian, in row-major order. `place` names the tensor in errors. */
  compose(parts: readonly NamedTensor[], place: string): Uint8Array<ArrayBuffer>;
}

export function isComposed(value: object): value is ComposedTensor {
  return "compose" in value;
}

/** A composed tensor by its name; throws if one of its parts leaves its storage. */
export function composedTensor(file: string, name: string, tensor: ComposedTensor, bytesOf: BytesOf): NamedTensor {
  const { shape, dtype, kind: form } = tensor;
  const place = `tensor "${name}"`;
  const parts = tensor.parts.map((part) => namedTensor(file, name, part, bytesOf));
  return storedTensor(file, { name, shape, dtype, place, form, readBytes: () => tensor.compose(parts, place) });
}

/** The bytes of a typed array, without a copy. */
export function bytesIn(data: ArrayBufferView<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

export function sizeOf(dtype: StoredType): number {
  return dtypeBytes[dtype];
}
