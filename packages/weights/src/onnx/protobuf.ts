import type { NamedTensor } from "../named-tensor.ts";

/** A piece of a message: bytes, or a tensor whose values are read when they are written. */
export type Piece = Uint8Array | NamedTensor;

/** A message of protocol buffers that is put together field by field, its large parts left where they are. */
export class Message {
  readonly pieces: Piece[] = [];
  bytes = 0;

  /** A whole number or a truth value. */
  int(field: number, value: number): this {
    return this.#put(Uint8Array.from([...varint(field << 3), ...varint(value)]));
  }

  float(field: number, value: number): this {
    const body = new Uint8Array(4);
    new DataView(body.buffer).setFloat32(0, value, true);
    return this.#put(Uint8Array.from([...varint((field << 3) | 5), ...body]));
  }

  text(field: number, value: string): this {
    return this.raw(field, new TextEncoder().encode(value));
  }

  raw(field: number, value: Uint8Array): this {
    return this.#put(lengthPrefix(field, value.byteLength)).#put(value);
  }

  message(field: number, value: Message): this {
    this.#put(lengthPrefix(field, value.bytes));
    for (const piece of value.pieces) this.pieces.push(piece);
    this.bytes += value.bytes;
    return this;
  }

  /** A tensor's raw bytes, which are read when the message is written. */
  tensor(field: number, tensor: NamedTensor): this {
    const size = tensor.shape.reduce((product, side) => product * side, 4);
    this.#put(lengthPrefix(field, size));
    this.pieces.push(tensor);
    this.bytes += size;
    return this;
  }

  #put(bytes: Uint8Array): this {
    this.pieces.push(bytes);
    this.bytes += bytes.byteLength;
    return this;
  }
}

function lengthPrefix(field: number, length: number): Uint8Array {
  return Uint8Array.from([...varint((field << 3) | 2), ...varint(length)]);
}

/** Seven bits a byte, the lowest first; a negative number takes its 64-bit two's complement. */
function varint(value: number): number[] {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 0x80n) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return out;
}
