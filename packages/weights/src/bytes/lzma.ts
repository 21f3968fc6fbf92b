/**
 * Unpacks an LZMA entry of a zip archive (method 14) to `size` bytes. Throws an error where the stream is not of that
 * size. Source: Igor Pavlov's LZMA specification, which is in the public domain.
 */
export function unpackLzma(packed: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  // Before the stream: the packer's version, the size of the properties, and the properties, of which the last four
  // bytes are the size of the dictionary. The output stands for the dictionary.
  const properties = packed[4] ?? 255;
  if (packed.byteLength < 9 || packed[2] !== 5 || packed[3] !== 0 || properties >= 225)
    throw new Error("its LZMA properties are not known");
  const out = new Uint8Array(size);
  const bits = new RangeDecoder(packed, 9);
  const literals = new Literals(properties % 9, Math.floor(properties / 9) % 5);
  const positionMask = (1 << Math.floor(properties / 45)) - 1;
  const flags = new Flags();
  const [matchLength, repeatLength] = [new Lengths(), new Lengths()];
  const distances = new Distances();
  let [at, state] = [0, 0];
  // The last four distances, the latest first.
  let [d0, d1, d2, d3] = [0, 0, 0, 0];
  while (at < size) {
    const position = at & positionMask;
    if (bits.read(flags.isMatch, state * 16 + position) === 0) {
      out[at] = literals.read(bits, out, at, state >= 7 ? (out[at - d0 - 1] ?? 0) : undefined);
      at++;
      state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
      continue;
    }
    let length = 1;
    if (bits.read(flags.isRepeat, state) === 0) {
      [d3, d2, d1] = [d2, d1, d0];
      length = matchLength.read(bits, position);
      d0 = distances.read(bits, length);
      state = state < 7 ? 7 : 10;
      // The mark of the stream's end.
      if (d0 === 0xffff_ffff) break;
    } else if (bits.read(flags.isOlder, state) === 0) {
      const isLong = bits.read(flags.isLong, state * 16 + position) === 1;
      if (isLong) length = repeatLength.read(bits, position);
      state = state < 7 ? (isLong ? 8 : 9) : 11;
    } else {
      if (bits.read(flags.isThird, state) === 0) [d0, d1] = [d1, d0];
      else if (bits.read(flags.isFourth, state) === 0) [d0, d1, d2] = [d2, d0, d1];
      else [d0, d1, d2, d3] = [d3, d0, d1, d2];
      length = repeatLength.read(bits, position);
      state = state < 7 ? 8 : 11;
    }
    if (d0 >= at || length > size - at) throw new Error(`its LZMA stream leads out of the data after ${at} bytes`);
    for (const end = at + length; at < end; at++) out[at] = out[at - d0 - 1]!;
  }
  if (at < size) throw new Error(`its LZMA stream ends after ${at} bytes`);
  return out;
}

/** Probabilities of zeros, of 2048; each begins at a half. */
function halves(count: number): Uint16Array {
  return new Uint16Array(count).fill(1024);
}

const states = 12;

/** What kind of symbol follows, by the state and the place. */
class Flags {
  readonly isMatch = halves(states * 16);
  readonly isRepeat = halves(states);
  readonly isOlder = halves(states);
  readonly isThird = halves(states);
  readonly isFourth = halves(states);
  readonly isLong = halves(states * 16);
}

class RangeDecoder {
  readonly #packed: Uint8Array;
  #at: number;
  #range = 0xffff_ffff;
  #code = 0;

  constructor(packed: Uint8Array, at: number) {
    this.#packed = packed;
    this.#at = at;
    // The first byte is always zero.
    for (let i = 0; i < 5; i++) this.#code = ((this.#code << 8) | this.#byte()) >>> 0;
  }

  /** A bit by its probability, which adapts. */
  read(zeros: Uint16Array, index: number): 0 | 1 {
    const probability = zeros[index]!;
    const bound = (this.#range >>> 11) * probability;
    let bit: 0 | 1 = 0;
    if (this.#code < bound) {
      this.#range = bound;
      zeros[index] = probability + ((2048 - probability) >> 5);
    } else {
      bit = 1;
      this.#range = (this.#range - bound) >>> 0;
      this.#code = (this.#code - bound) >>> 0;
      zeros[index] = probability - (probability >> 5);
    }
    this.#refill();
    return bit;
  }

  /** Bits of equal probability, the highest first. */
  direct(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      this.#range >>>= 1;
      const bit = this.#code >= this.#range ? 1 : 0;
      if (bit === 1) this.#code = (this.#code - this.#range) >>> 0;
      value = value * 2 + bit;
      this.#refill();
    }
    return value;
  }

  /** A number of `count` bits by a tree of probabilities from `base` on, the highest bit first. */
  tree(zeros: Uint16Array, base: number, count: number): number {
    let node = 1;
    for (let i = 0; i < count; i++) node = node * 2 + this.read(zeros, base + node);
    return node - (1 << count);
  }

  /** The same with the lowest bit first. */
  reversed(zeros: Uint16Array, base: number, count: number): number {
    let [node, value] = [1, 0];
    for (let i = 0; i < count; i++) {
      const bit = this.read(zeros, base + node);
      node = node * 2 + bit;
      value += bit << i;
    }
    return value;
  }

  #refill(): void {
    if (this.#range >= 0x100_0000) return;
    this.#range = (this.#range << 8) >>> 0;
    this.#code = ((this.#code << 8) | this.#byte()) >>> 0;
  }

  #byte(): number {
    const byte = this.#packed[this.#at++];
    if (byte === undefined) throw new Error("its LZMA stream is cut off");
    return byte;
  }
}

/** Single bytes, by the bits of the byte before and of the place. */
class Literals {
  readonly #contextBits: number;
  readonly #placeMask: number;
  readonly #zeros: Uint16Array;

  constructor(contextBits: number, placeBits: number) {
    this.#contextBits = contextBits;
    this.#placeMask = (1 << placeBits) - 1;
    this.#zeros = halves(0x300 << (contextBits + placeBits));
  }

  /** `matched` is the byte at the last distance, where a match came just before. */
  read(bits: RangeDecoder, out: Uint8Array, at: number, matched: number | undefined): number {
    const before = at === 0 ? 0 : out[at - 1]!;
    const context = ((at & this.#placeMask) << this.#contextBits) + (before >> (8 - this.#contextBits));
    const base = 0x300 * context;
    let node = 1;
    if (matched !== undefined) {
      for (let rest = matched; node < 0x100; rest <<= 1) {
        const expected = (rest >> 7) & 1;
        const bit = bits.read(this.#zeros, base + ((1 + expected) << 8) + node);
        node = node * 2 + bit;
        if (bit !== expected) break;
      }
    }
    while (node < 0x100) node = node * 2 + bits.read(this.#zeros, base + node);
    return node - 0x100;
  }
}

class Lengths {
  readonly #choice = halves(2);
  readonly #low = halves(16 * 8);
  readonly #middle = halves(16 * 8);
  readonly #high = halves(256);

  read(bits: RangeDecoder, position: number): number {
    if (bits.read(this.#choice, 0) === 0) return 2 + bits.tree(this.#low, position * 8, 3);
    if (bits.read(this.#choice, 1) === 0) return 10 + bits.tree(this.#middle, position * 8, 3);
    return 18 + bits.tree(this.#high, 0, 8);
  }
}

class Distances {
  readonly #slots = halves(4 * 64);
  readonly #special = halves(128);
  readonly #align = halves(16);

  /** A distance less 1, by the length of the match. */
  read(bits: RangeDecoder, length: number): number {
    const slot = bits.tree(this.#slots, 64 * Math.min(3, length - 2), 6);
    if (slot < 4) return slot;
    const count = (slot >> 1) - 1;
    const high = (2 + (slot & 1)) * 2 ** count;
    if (slot < 14) return high + bits.reversed(this.#special, high - slot, count);
    return high + bits.direct(count - 4) * 16 + bits.reversed(this.#align, 0, 4);
  }
}
