import { latin1Text } from "../../bytes/encoding.ts";
import type { ByteSource } from "../../bytes/byte-source.ts";
import { WeightsError } from "../../weights-error.ts";

/** The address that HDF5 writes for an absent object. */
export const undefinedAddress = -1;

/** One structure of an HDF5 file in memory, read field by field; every error names its byte in the file. */
export class Hdf5Bytes {
  readonly file: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly start: number;
  readonly #view: DataView;
  at = 0;

  constructor(file: string, bytes: Uint8Array<ArrayBuffer>, start: number) {
    this.file = file;
    this.bytes = bytes;
    this.start = start;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  static read(source: ByteSource, address: number, length: number): Hdf5Bytes {
    return new Hdf5Bytes(source.file, source.read(address, length), address);
  }

  get left(): number {
    return this.bytes.byteLength - this.at;
  }

  fail(problem: string): never {
    throw new WeightsError(this.file, `byte ${this.start + this.at}`, problem);
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** A little-endian number of 1 to 8 bytes. If all bits are set, returns `undefinedAddress`; throws above 2^53. */
  uint(size: number): number {
    const from = this.#take(size);
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes[from + i]!);
    if (size === 8 && value === 0xffff_ffff_ffff_ffffn) return undefinedAddress;
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) this.fail(`a size or address of ${value} cannot be true`);
    return Number(value);
  }

  skip(count: number): void {
    this.#take(count);
  }

  take(length: number): Uint8Array<ArrayBuffer> {
    const from = this.#take(length);
    return this.bytes.subarray(from, from + length);
  }

  /** The next `length` bytes as a new structure. */
  part(length: number): Hdf5Bytes {
    const start = this.start + this.at;
    return new Hdf5Bytes(this.file, this.take(length), start);
  }

  signature(expected: string): void {
    const came = latin1Text(this.take(expected.length));
    if (came !== expected) this.fail(`expected ${JSON.stringify(expected)}, got ${JSON.stringify(came)}`);
  }

  /** Text up to a zero byte or the end. */
  textUpToZero(): string {
    const end = this.bytes.indexOf(0, this.at);
    const text = new TextDecoder().decode(this.bytes.subarray(this.at, end === -1 ? undefined : end));
    this.at = end === -1 ? this.bytes.byteLength : end + 1;
    return text;
  }

  #take(length: number): number {
    if (length < 0 || length > this.left)
      this.fail(`expected ${length} bytes, but this structure ends after ${this.left}`);
    const from = this.at;
    this.at += length;
    return from;
  }
}
