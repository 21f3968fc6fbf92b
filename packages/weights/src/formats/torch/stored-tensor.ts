import type { ByteSource } from "../../bytes/byte-source.ts";
import { dtypeBytes, floatParts, storedTensor, swapBytes } from "../../bytes/named-tensor.ts";
import type { NamedTensor, StoredType } from "../../bytes/named-tensor.ts";
import { gatherBytes, isContiguous } from "../../bytes/strided.ts";
import { WeightsError } from "../../weights-error.ts";

/** A storage as the pickle names it. The position of its bytes is known only after the whole file is scanned. */
export class Storage {
  readonly key: string;
  readonly dtype: StoredType;
  /** Number of elements of `dtype`. */
  readonly count: number;
  /** The bytes, if they lie within the pickle. */
  readonly inline: { readonly bytes: ByteSource; readonly bigEndian: boolean } | undefined;

  constructor(key: string, dtype: StoredType, count: number, inline?: Storage["inline"]) {
    this.key = key;
    this.dtype = dtype;
    this.count = count;
    this.inline = inline;
  }

  get size(): number {
    return this.count * dtypeBytes[this.dtype];
  }
}

/** A tensor of a pickle: a view of a storage, offset and strides in elements of `dtype`. */
export class StridedTensor {
  readonly storage: Storage;
  readonly dtype: StoredType;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(
    storage: Storage,
    dtype: StoredType,
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
  ) {
    this.storage = storage;
    this.dtype = dtype;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

/** A tensor whose kind is not read, such as a sparse one. */
export class UnreadTensor {
  /** What it is and what to do, for errors. */
  readonly problem: string;
  constructor(problem: string) {
    this.problem = problem;
  }
}

/** Limit on the elements of a tensor that repeats elements of its storage (`expand`). */
const expandedLimit = 1 << 20;

/** The bytes of a storage that lies outside the pickle. */
export type BytesOf = (storage: Storage, place: string) => { readonly bytes: ByteSource; readonly bigEndian: boolean };

/** A tensor of a pickle by its name; throws if it leaves its storage. */
export function namedTensor(file: string, name: string, tensor: StridedTensor, bytesOf: BytesOf): NamedTensor {
  const { storage, dtype, offset, shape, strides } = tensor;
  const place = `tensor "${name}"`;
  const size = dtypeBytes[dtype];
  const most = Math.floor(storage.size / size);
  const count = shape.reduce((product, side) => product * side, 1);
  const last = count === 0 ? offset - 1 : shape.reduce((at, side, axis) => at + (side - 1) * strides[axis]!, offset);
  if (last >= most || count > Math.max(most, expandedLimit)) {
    throw new WeightsError(
      file,
      place,
      `shape [${shape}] with strides [${strides}] at ${offset} leaves its storage of ${most} elements`,
    );
  }
  const { bytes, bigEndian } = storage.inline ?? bytesOf(storage, place);
  if (bytes.size < storage.size) {
    throw new WeightsError(
      file,
      place,
      `its storage should have ${storage.count} elements of ${storage.dtype}, but has ${bytes.size} bytes`,
    );
  }
  const inOrder = count === 0 || isContiguous(shape, strides);
  const readBytes = (): Uint8Array<ArrayBuffer> => {
    const elements = bytes.read(offset * size, (last - offset + 1) * size);
    if (bigEndian) swapBytes(elements, dtype);
    return inOrder ? elements : gatherBytes(elements, size, shape, strides);
  };
  const parts = dtype === "float32" && !bigEndian && inOrder ? { readPart: floatParts(bytes, offset * size) } : {};
  return storedTensor(file, { name, shape, dtype, place, readBytes, ...parts });
}
