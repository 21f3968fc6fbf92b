import type { ByteSource } from "./byte-source.ts";
import { WeightsError } from "../weights-error.ts";

const blockSize = 1 << 16;

/** Reads consecutive little-endian values from a source, one block at a time. */
export class ByteCursor {
  readonly source: ByteSource;
  position: number;
  #block = new Uint8Array(0);
  #view = new DataView(new ArrayBuffer(0));
  #blockStart = 0;

  constructor(source: ByteSource, position = 0) {
    this.source = source;
    this.position = position;
  }

  u8(): number {
    const at = this.#take(1);
    return this.#view.getUint8(at);
  }

  u16(): number {
    const at = this.#take(2);
    return this.#view.getUint16(at, true);
  }

  u32(): number {
    const at = this.#take(4);
    return this.#view.getUint32(at, true);
  }

  i32(): number {
    const at = this.#take(4);
    return this.#view.getInt32(at, true);
  }

  /** A 64-bit length or offset; throws for a value that no file can have. */
  u64(): number {
    const place = this.position;
    const at = this.#take(8);
    const value = this.#view.getBigUint64(at, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new WeightsError(this.source.file, `byte ${place}`, `a length or offset of ${value} cannot be true`);
    }
    return Number(value);
  }

  f64be(): number {
    const at = this.#take(8);
    return this.#view.getFloat64(at, false);
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    const bytes = this.source.read(this.position, length);
    this.position += length;
    return bytes;
  }

  text(length: number): string {
    return new TextDecoder().decode(this.bytes(length));
  }

  /** Text up to a line feed, without it. */
  line(limit = 4096): string {
    const codes: number[] = [];
    for (;;) {
      const code = this.u8();
      if (code === 0x0a) return new TextDecoder().decode(Uint8Array.from(codes));
      if (codes.push(code) > limit) {
        throw new WeightsError(this.source.file, `byte ${this.position}`, `expected a line of at most ${limit} bytes`);
      }
    }
  }

  /** Skips `length` bytes and returns their index in the current block. */
  #take(length: number): number {
    const end = this.#blockStart + this.#block.byteLength;
    if (this.position < this.#blockStart || this.position + length > end) {
      const size = Math.max(length, Math.min(blockSize, this.source.size - this.position));
      this.#block = this.source.read(this.position, size);
      this.#view = new DataView(this.#block.buffer, this.#block.byteOffset, size);
      this.#blockStart = this.position;
    }
    const at = this.position - this.#blockStart;
    this.position += length;
    return at;
  }
}
