import { readFile } from "node:fs/promises";
import { endianness } from "node:os";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { DataError, reasonOf } from "../data-error.ts";

/** An array of an IDX file. */
export interface IdxArray<Data extends IdxData = IdxData> {
  shape: readonly number[];
  data: Data;
}

export type IdxData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

const elementTypes: Readonly<Record<number, new (buffer: ArrayBuffer, offset: number, length: number) => IdxData>> = {
  0x08: Uint8Array,
  0x09: Int8Array,
  0x0b: Int16Array,
  0x0c: Int32Array,
  0x0d: Float32Array,
  0x0e: Float64Array,
};

/**
 * The array in an IDX file, plain or gzipped, whatever its name ends in. Throws a `DataError` with the byte at which the
 * file stops being IDX. LeCun's format: two zeros, element type, number of sides, the sides, the elements, big-endian.
 */
export async function readIdx(file: string): Promise<IdxArray> {
  return parseIdx(await readMaybeGzipped(file), file);
}

/** The content of a file, unpacked if it is gzipped. */
export async function readMaybeGzipped(file: string): Promise<Buffer> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new DataError(`${file} cannot be read: ${reasonOf(error)}`);
  });
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await promisify(gunzip)(bytes);
  } catch (error) {
    throw new DataError(
      `${file}: expected gzipped data from byte 0 to the end, but unpacking failed (${reasonOf(error)}); fetch the file again`,
    );
  }
}

/** The array in the bytes of an IDX file; `file` is for messages. */
export function parseIdx(bytes: Uint8Array, file: string): IdxArray {
  const wrong = (offset: number, expected: string, found: string): never => {
    throw new DataError(`${file}: expected ${expected} at byte ${offset}, found ${found}`);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4) wrong(0, "an IDX header of 4 bytes", `${bytes.length} in all; the file is truncated`);
  if (bytes[0] !== 0 || bytes[1] !== 0) {
    wrong(0, "00 00 (the start of an IDX file)", `${hex(bytes[0]!)} ${hex(bytes[1]!)}; this is not an IDX file`);
  }
  const Elements = elementTypes[bytes[2]!] ?? wrong(2, "an element type (08, 09, 0b, 0c, 0d or 0e)", hex(bytes[2]!));
  const sides = bytes[3]!;
  if (sides === 0) wrong(3, "a number of sides from 1", "00");
  const header = 4 + 4 * sides;
  if (bytes.length < header) {
    wrong(4, `${sides} sides of 4 bytes each`, `${bytes.length - 4} bytes; the file is truncated`);
  }
  const shape = Array.from({ length: sides }, (_, side) => view.getUint32(4 + 4 * side));
  const length = shape.reduce((product, side) => product * side, 1);
  const width = new Elements(new ArrayBuffer(0), 0, 0).BYTES_PER_ELEMENT;
  const found = bytes.length - header;
  if (found !== length * width) {
    wrong(
      header,
      `${length * width} bytes (${shape.join(" x ")}${width > 1 ? ` of ${width} bytes` : ""})`,
      `${found}; the file ${found < length * width ? "is truncated" : "has bytes left over"}`,
    );
  }
  if (width === 1) return { shape, data: new Elements(bytes.buffer as ArrayBuffer, bytes.byteOffset + header, length) };
  const copy = Buffer.from(bytes.subarray(header));
  if (endianness() === "LE") swapBytes(copy, width);
  return { shape, data: new Elements(new Uint8Array(copy).buffer, 0, length) };
}

function swapBytes(buffer: Buffer, width: number): void {
  if (width === 2) buffer.swap16();
  else if (width === 4) buffer.swap32();
  else buffer.swap64();
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
