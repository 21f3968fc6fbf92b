import { lookup3 } from "../src/formats/hdf5/checksum.ts";

/** Writes HDF5 files by hand, such as no library would: superblock 2, object headers of version 2, addresses that may lie. */
export class Hdf5File {
  readonly #parts: Buffer[] = [Buffer.alloc(48)];
  #size = 48;

  /** Puts bytes at the end; gives their address. */
  put(...bytes: readonly Uint8Array[]): number {
    const address = this.#size;
    this.#parts.push(...bytes.map((part) => Buffer.from(part)));
    this.#size += bytes.reduce((sum, { byteLength }) => sum + byteLength, 0);
    return address;
  }

  get end(): number {
    return this.#size;
  }

  object(...messages: readonly (readonly [type: number, body: Uint8Array])[]): number {
    const parts = messages.map(([type, body]) => Buffer.concat([u(1, type), u(2, body.byteLength), u(1, 0), body]));
    const size = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const header = Buffer.concat([Buffer.from("OHDR"), u(1, 2), u(1, 2), u(4, size), ...parts]);
    return this.put(header, u(4, lookup3(header)));
  }

  finish(root: number): Uint8Array {
    const bytes = Buffer.concat(this.#parts);
    Buffer.from("\x89HDF\r\n\x1a\n", "latin1").copy(bytes);
    Buffer.concat([u(1, 2), u(1, 8), u(1, 8), u(1, 0), u(8, 0), nowhere, u(8, bytes.byteLength), u(8, root)]).copy(
      bytes,
      8,
    );
    u(4, lookup3(bytes.subarray(0, 44))).copy(bytes, 44);
    return bytes;
  }
}

export const nowhere = Buffer.alloc(8, 0xff);

/** A little-endian number of so many bytes. */
export function u(size: number, value: number): Buffer {
  const bytes = Buffer.alloc(size);
  if (size === 8) bytes.writeBigUInt64LE(BigInt(value));
  else bytes.writeUIntLE(value, 0, size);
  return bytes;
}

export function link(name: string, address: number): [number, Buffer] {
  return [0x06, Buffer.concat([u(1, 1), u(1, 0), u(1, name.length), Buffer.from(name), u(8, address)])];
}

function space(...shape: readonly number[]): Buffer {
  return Buffer.concat([u(1, 2), u(1, shape.length), u(1, 0), u(1, 1), ...shape.map((size) => u(8, size))]);
}

export const float32 = Buffer.from([17, 32, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0]);
export const uint8 = Buffer.from([16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0]);
const variableText = Buffer.from([0x19, 1, 1, 0, 16, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0]);

function attribute(name: string, type: Buffer, shape: Buffer, data: Buffer): [number, Buffer] {
  const sizes = [name.length + 1, type.byteLength, shape.byteLength].map((size) => u(2, size));
  return [0x0c, Buffer.concat([u(1, 3), u(1, 0), ...sizes, u(1, 0), Buffer.from(`${name}\0`), type, shape, data])];
}

/** An attribute of texts of one length. */
export function texts(name: string, values: readonly string[]): [number, Buffer] {
  const type = Buffer.concat([Buffer.from([0x13, 0, 0, 0]), u(4, values[0]!.length)]);
  return attribute(name, type, space(values.length), Buffer.from(values.join("")));
}

/** An attribute of texts that all lie at one place of a heap. */
export function heapTexts(name: string, count: number, length: number, heap: number): [number, Buffer] {
  const reference = Buffer.concat([u(4, length), u(8, heap), u(4, 1)]);
  return attribute(name, variableText, space(count), Buffer.concat(Array.from({ length: count }, () => reference)));
}

/** A heap with one object. */
export function heap(data: Uint8Array): Buffer {
  const size = 16 + 16 + data.byteLength;
  return Buffer.concat([Buffer.from("GCOL"), u(4, 1), u(8, size), u(2, 1), u(6, 0), u(8, data.byteLength), data]);
}

/** The messages of a dataset in chunks. */
export function chunked(
  type: Buffer,
  shape: readonly number[],
  sides: readonly number[],
  tree: number,
  filters: readonly (readonly [id: number, ...values: number[]])[] = [],
): [number, Buffer][] {
  const layout = Buffer.concat([
    u(1, 3),
    u(1, 2),
    u(1, sides.length + 1),
    u(8, tree),
    ...sides.map((side) => u(4, side)),
    u(4, 1),
  ]);
  const packed = filters.map(([id, ...values]): Buffer =>
    Buffer.concat([u(2, id), u(2, 0), u(2, values.length), ...values.map((value) => u(4, value))]),
  );
  return [
    [0x03, type],
    [0x01, space(...shape)],
    [0x08, layout],
    ...packed.map((filter): [number, Buffer] => [0x0b, Buffer.concat([u(1, 2), u(1, 1), filter])]),
  ];
}

/** A node of a tree: of chunks (1) or of names (0). */
export function node(kind: 0 | 1, level: number, entries: readonly Buffer[]): Buffer {
  return Buffer.concat([
    Buffer.from("TREE"),
    u(1, kind),
    u(1, level),
    u(2, entries.length),
    nowhere,
    nowhere,
    ...entries,
  ]);
}

export function chunk(stored: number, offsets: readonly number[], address: number): Buffer {
  return Buffer.concat([u(4, stored), u(4, 0), ...offsets.map((offset) => u(8, offset)), u(8, 0), u(8, address)]);
}
