/**
 * Unpacks bzip2 to `size` bytes. Throws an error where the stream is not of that size; checksums are left to the archive.
 * Source: Julian Seward's bzip2, as Joe Tsai's "BZIP2: Format Specification" describes it.
 */
export function unpackBzip2(packed: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const bits = new Bits(packed);
  const out = new Output(size);
  if (bits.read(24) !== 0x42_5a_68) throw new Error("it is no bzip2 stream");
  const level = bits.read(8) - 0x30;
  if (level < 1 || level > 9) throw new Error(`bzip2 has no level ${level}`);
  for (;;) {
    const [high, low] = [bits.read(24), bits.read(24)];
    if (high === 0x17_72_45 && low === 0x38_50_90) break;
    if (high !== 0x31_41_59 || low !== 0x26_53_59) throw new Error("a bzip2 block does not begin where it should");
    readBlock(bits, level * 100_000, out);
  }
  if (out.at < size) throw new Error(`its bzip2 stream ends after ${out.at} bytes`);
  return out.bytes;
}

/** Bits of each byte from the highest on. */
class Bits {
  readonly #packed: Uint8Array;
  #at = 0;
  #held = 0;
  #count = 0;

  constructor(packed: Uint8Array) {
    this.#packed = packed;
  }

  /** Up to 24 bits as a number. */
  read(count: number): number {
    while (this.#count < count) {
      const byte = this.#packed[this.#at++];
      if (byte === undefined) throw new Error("its bzip2 stream is cut off");
      this.#held = ((this.#held << 8) | byte) >>> 0;
      this.#count += 8;
    }
    this.#count -= count;
    const value = this.#held >>> this.#count;
    this.#held &= (1 << this.#count) - 1;
    return value;
  }
}

/** Undoes the outermost packing: four equal bytes are followed by the number of further ones. */
class Output {
  readonly bytes: Uint8Array<ArrayBuffer>;
  at = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  write(byte: number, count: number): void {
    if (count > this.bytes.byteLength - this.at)
      throw new Error(`it unpacks to more than ${this.bytes.byteLength} bytes`);
    this.bytes.fill(byte, this.at, this.at + count);
    this.at += count;
  }
}

function readBlock(bits: Bits, limit: number, out: Output): void {
  // The checksum, in two halves.
  bits.read(16);
  bits.read(16);
  if (bits.read(1) === 1) throw new Error("bzip2 before 0.9.5 is not read");
  const start = bits.read(24);
  const { block, length } = readSymbols(bits, limit);
  if (start >= length) throw new Error("a bzip2 block has its start beyond its end");
  const next = followers(block, length);
  let at = next[start]!;
  let [last, run] = [-1, 0];
  for (let index = 0; index < length; index++) {
    const byte = block[at]!;
    at = next[at]!;
    if (run === 4) {
      out.write(last, byte);
      [last, run] = [-1, 0];
      continue;
    }
    run = byte === last ? run + 1 : 1;
    last = byte;
    out.write(byte, 1);
  }
}

/** The inverse of the Burrows-Wheeler transform: the place of the byte that follows each byte. */
function followers(block: Uint8Array, length: number): Uint32Array {
  const starts = new Uint32Array(257);
  for (let i = 0; i < length; i++) starts[block[i]! + 1]!++;
  for (let byte = 0; byte < 256; byte++) starts[byte + 1]! += starts[byte]!;
  const next = new Uint32Array(length);
  for (let i = 0; i < length; i++) next[starts[block[i]!]!++] = i;
  return next;
}

/** The bytes of a block, still in the order of the transform. */
function readSymbols(bits: Bits, limit: number): { block: Uint8Array; length: number } {
  const recent = usedBytes(bits);
  const end = recent.length + 1;
  const tables = bits.read(3);
  if (tables < 2 || tables > 6) throw new Error(`bzip2 has no blocks of ${tables} tables`);
  const selectors = readSelectors(bits, tables);
  const codes = Array.from({ length: tables }, () => readCode(bits, end + 1));
  const block = new Uint8Array(limit);
  let [length, repeat, bit] = [0, 0, 0];
  for (let symbols = 0; ; symbols++) {
    const code = codes[selectors[Math.floor(symbols / 50)] ?? tables];
    if (code === undefined) throw new Error("a bzip2 block has too few selectors");
    const symbol = code(bits);
    if (symbol <= 1) {
      // The repetition's length has the digits 1 and 2, the lowest first.
      if (bit > 20) throw new Error("a repetition in bzip2 is too long");
      repeat += (symbol + 1) << bit++;
      continue;
    }
    if (repeat > limit - length) throw new Error("a bzip2 block is too long");
    block.fill(recent[0]!, length, length + repeat);
    length += repeat;
    [repeat, bit] = [0, 0];
    if (symbol === end) return { block, length };
    if (length >= limit) throw new Error("a bzip2 block is too long");
    const [byte] = recent.splice(symbol - 1, 1);
    recent.unshift(byte!);
    block[length++] = byte!;
  }
}

/** The bytes that a block has, in ascending order. */
function usedBytes(bits: Bits): number[] {
  const groups = bits.read(16);
  const bytes: number[] = [];
  for (let group = 0; group < 16; group++) {
    if ((groups & (0x8000 >> group)) === 0) continue;
    const members = bits.read(16);
    for (let i = 0; i < 16; i++) if ((members & (0x8000 >> i)) !== 0) bytes.push(group * 16 + i);
  }
  if (bytes.length === 0) throw new Error("a bzip2 block has no bytes");
  return bytes;
}

/** Which table each 50 symbols use. */
function readSelectors(bits: Bits, tables: number): number[] {
  const recent = Array.from({ length: tables }, (_, index) => index);
  return Array.from({ length: bits.read(15) }, () => {
    let place = 0;
    while (bits.read(1) === 1) if (++place >= tables) throw new Error("bzip2 has no such table");
    const [table] = recent.splice(place, 1);
    recent.unshift(table!);
    return table!;
  });
}

/** Reads a Huffman code; returns what reads one of its symbols. */
function readCode(bits: Bits, count: number): (bits: Bits) => number {
  let length = bits.read(5);
  const lengths = Array.from({ length: count }, () => {
    for (;;) {
      if (length < 1 || length > 20) throw new Error(`bzip2 has no codes of ${length} bits`);
      if (bits.read(1) === 0) return length;
      length += bits.read(1) === 0 ? 1 : -1;
    }
  });
  // Codes count up through the lengths: the first code of each, and the symbols in that order.
  const order = lengths.map((_, symbol) => symbol).toSorted((a, b) => lengths[a]! - lengths[b]! || a - b);
  const counts = new Uint32Array(21);
  for (const each of lengths) counts[each]!++;
  return (from) => {
    let [code, first, index] = [0, 0, 0];
    for (let size = 1; size <= 20; size++) {
      code = code * 2 + from.read(1);
      const here = counts[size]!;
      if (code - first < here) return order[index + code - first]!;
      index += here;
      first = (first + here) * 2;
    }
    throw new Error("a code in bzip2 is not known");
  };
}
