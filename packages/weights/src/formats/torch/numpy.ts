import { memorySource } from "../../bytes/byte-source.ts";
import { checkedCount, dtypeBytes } from "../../bytes/named-tensor.ts";
import type { StoredType } from "../../bytes/named-tensor.ts";
import { columnMajor } from "../../bytes/strided.ts";
import { numpyTypes } from "../npy.ts";
import { PickleGlobal, PickleObject } from "./pickle.ts";
import type { PickleValue } from "./pickle.ts";
import { Storage, StridedTensor, UnreadTensor } from "./stored-tensor.ts";

/** A `numpy.dtype` of a pickle. */
export class NumpyType extends PickleObject {
  readonly code: string;
  bigEndian = false;

  constructor([code]: readonly PickleValue[]) {
    super("numpy.dtype");
    this.code = code instanceof PickleGlobal ? code.path : String(code);
  }

  /** Attributes are (version, byte order, …). */
  override build(state: PickleValue): void {
    if (Array.isArray(state)) this.bigEndian = state[1] === ">";
  }

  get dtype(): StoredType | undefined {
    if (this.code === "ml_dtypes.bfloat16") return "bfloat16";
    return Object.hasOwn(numpyTypes, this.code) && this.code !== "V2" ? numpyTypes[this.code] : undefined;
  }
}

/** An array whose content the pickle gives later, by BUILD. */
export class NumpyArray extends PickleObject {
  readonly #file: string;
  #value: StridedTensor | UnreadTensor = new UnreadTensor("is a NumPy array without content");

  constructor(file: string) {
    super("numpy.ndarray");
    this.#file = file;
  }

  /** Attributes are (version, shape, type, whether columns come first, bytes). */
  override build(state: PickleValue): void {
    const [, shape, type, isFortran, bytes] = Array.isArray(state) ? state : [];
    this.#value = numpyTensor(this.#file, { shape, type, bytes, isFortran: isFortran === true });
  }

  get value(): StridedTensor | UnreadTensor {
    return this.#value;
  }
}

/** A NumPy array of a pickle as a tensor; objects, texts and records are not read. */
export function numpyTensor(
  file: string,
  {
    shape,
    type,
    bytes,
    isFortran,
  }: {
    shape: PickleValue | undefined;
    type: PickleValue | undefined;
    bytes: PickleValue | undefined;
    isFortran: boolean;
  },
): StridedTensor | UnreadTensor {
  const count = checkedCount(shape);
  if (!(type instanceof NumpyType) || count === undefined) return new UnreadTensor("is a damaged NumPy array");
  const { dtype, bigEndian, code } = type;
  if (dtype === undefined || !(bytes instanceof Uint8Array))
    return new UnreadTensor(`is a NumPy array of the type ${code}, which is not read`);
  if (bytes.byteLength !== count * dtypeBytes[dtype])
    return new UnreadTensor(`is a NumPy array of ${count} elements of ${dtype}, but has ${bytes.byteLength} bytes`);
  const sides = shape as number[];
  const strides = isFortran ? columnMajor(sides) : columnMajor(sides.toReversed()).toReversed();
  const inline = { bytes: memorySource(bytes, file), bigEndian };
  return new StridedTensor(new Storage("numpy", dtype, count, inline), dtype, 0, sides, strides);
}
