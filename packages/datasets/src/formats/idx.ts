import { createReadStream } from "node:fs";
import { open, readFile, stat } from "node:fs/promises";
import { endianness } from "node:os";
import { createGunzip } from "node:zlib";
import { shown } from "@convkit/errors";
import { DataError, reasonOf } from "../data-error.ts";
import { checkNames } from "../images/decode-options.ts";

/** An array of an IDX file. */
export interface IdxArray<Data extends IdxData = IdxData> {
  readonly shape: readonly number[];
  readonly data: Data;
}

export type IdxData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

export interface IdxOptions {
  /** The most bytes that the unpacked file may have; 2 GiB by default. */
  readonly byteLimit?: number | undefined;
}

const defaultByteLimit = 2 ** 31;

const elementTypes: Readonly<Record<number, new (buffer: ArrayBuffer, offset: number, length: number) => IdxData>> = {
  0x08: Uint8Array,
  0x09: Int8Array,
  0x0b: Int16Array,
  0x0c: Int32Array,
  0x0d: Float32Array,
  0x0e: Float64Array,
};

/**
 * Reads the array in an IDX file, plain or gzipped, whatever its extension. A gzipped file is unpacked only as far as
 * its header says. Throws a DataError with the byte offset of the first error, and if the file is larger than
 * `byteLimit`. The format is LeCun's: two zeros, element type, number of dimensions, the dimensions, the elements, big-
 * endian.
 */
export async function readIdx(file: string, options: IdxOptions = {}): Promise<IdxArray> {
  checkNames("readIdx", options, { byteLimit: true });
  return parseIdx(await readIdxBytes(file, options), file);
}

/** The bytes of an IDX file, unpacked if it is gzipped. */
export async function readIdxBytes(
  file: string,
  { byteLimit = defaultByteLimit }: IdxOptions = {},
): Promise<Uint8Array> {
  if (!(Number.isInteger(byteLimit) && byteLimit > 0)) {
    throw new DataError(`byteLimit should be a whole number from 1, not ${shown(byteLimit)}`);
  }
  const { size, isGzipped } = await startOf(file);
  if (isGzipped) return gunzipIdx(file, size, byteLimit);
  if (size > byteLimit) throw tooLarge(file, size, byteLimit);
  return readFile(file).catch((error: unknown) => {
    throw new DataError(`${file} cannot be read: ${reasonOf(error)}`);
  });
}

async function startOf(file: string): Promise<{ size: number; isGzipped: boolean }> {
  try {
    const { size } = await stat(file);
    const start = new Uint8Array(2);
    const handle = await open(file);
    try {
      await handle.read(start, 0, 2, 0);
    } finally {
      await handle.close();
    }
    return { size, isGzipped: start[0] === 0x1f && start[1] === 0x8b };
  } catch (error) {
    throw new DataError(`${file} cannot be read: ${reasonOf(error)}`);
  }
}

function tooLarge(file: string, bytes: number, byteLimit: number): DataError {
  return new DataError(
    `${file}: expected at most ${byteLimit} bytes, got ${bytes} by its header; if you trust the file, raise byteLimit`,
  );
}

/** Deflate packs at most this many bytes into one. */
const mostPacked = 1032;

/** Unpacks a file up to one byte more than its IDX header says, so that a small file cannot exhaust the memory. */
async function gunzipIdx(file: string, packed: number, byteLimit: number): Promise<Uint8Array> {
  const source = createReadStream(file);
  const unpacked = source.pipe(createGunzip());
  source.on("error", (error) => unpacked.destroy(error));
  const parts: Buffer[] = [];
  let have = 0;
  let wanted: number | undefined;
  try {
    for await (const chunk of unpacked) {
      parts.push(chunk as Buffer);
      have += (chunk as Buffer).length;
      if (wanted === undefined) {
        const header = readHeader(Buffer.concat(parts));
        // `parseIdx` reports the error in bytes that are not an IDX file.
        if (header === "wrong") break;
        if (header === "short") continue;
        wanted = header.start + header.length * header.width;
        if (wanted > byteLimit) throw tooLarge(file, wanted, byteLimit);
        if (wanted > packed * mostPacked) break;
      }
      if (have > wanted) break;
    }
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(
      `${file}: expected gzipped data from byte 0 to the end, but unpacking failed (${reasonOf(error)}); fetch the file again`,
    );
  } finally {
    source.destroy();
    unpacked.destroy();
  }
  return Buffer.concat(parts);
}

interface Header {
  readonly shape: readonly number[];
  /** The number of elements and the bytes per element. */
  readonly length: number;
  readonly width: number;
  /** The byte at which the elements begin. */
  readonly start: number;
  readonly Elements: (typeof elementTypes)[number];
}

/** Reads the header. Returns "short" if more bytes are needed, "wrong" if the bytes are not a header. */
function readHeader(bytes: Uint8Array): Header | "short" | "wrong" {
  if (bytes.length < 4) return "short";
  const Elements = elementTypes[bytes[2]!];
  const sides = bytes[3]!;
  if (bytes[0] !== 0 || bytes[1] !== 0 || Elements === undefined || sides === 0) return "wrong";
  const start = 4 + 4 * sides;
  if (bytes.length < start) return "short";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: sides }, (_, side) => view.getUint32(4 + 4 * side));
  const length = shape.reduce((product, side) => product * side, 1);
  return { shape, length, width: new Elements(new ArrayBuffer(0), 0, 0).BYTES_PER_ELEMENT, start, Elements };
}

/** Parses the bytes of an IDX file; `file` is for messages. */
export function parseIdx(bytes: Uint8Array, file: string): IdxArray {
  const header = readHeader(bytes);
  if (header === "short" || header === "wrong") throw headerError(bytes, file);
  const { shape, length, width, start, Elements } = header;
  const found = bytes.length - start;
  if (found !== length * width) {
    throw wrongBytes(
      file,
      start,
      `${length * width} bytes (${shape.join(" x ")}${width > 1 ? ` of ${width} bytes` : ""})`,
      `${found}; the file ${found < length * width ? "is truncated" : "has bytes left over"}`,
    );
  }
  if (width === 1) return { shape, data: new Elements(bytes.buffer as ArrayBuffer, bytes.byteOffset + start, length) };
  const copy = Buffer.from(bytes.subarray(start));
  if (endianness() === "LE") swapBytes(copy, width);
  return { shape, data: new Elements(new Uint8Array(copy).buffer, 0, length) };
}

function headerError(bytes: Uint8Array, file: string): DataError {
  const wrong = (offset: number, expected: string, found: string) => wrongBytes(file, offset, expected, found);
  if (bytes.length < 4) return wrong(0, "an IDX header of 4 bytes", `${bytes.length} in all; the file is truncated`);
  if (bytes[0] !== 0 || bytes[1] !== 0) {
    return wrong(0, "00 00 (the start of an IDX file)", `${hex(bytes[0]!)} ${hex(bytes[1]!)}; this is not an IDX file`);
  }
  if (elementTypes[bytes[2]!] === undefined) {
    return wrong(2, "an element type (08, 09, 0b, 0c, 0d or 0e)", hex(bytes[2]!));
  }
  if (bytes[3] === 0) return wrong(3, "a number of sides from 1", "00");
  return wrong(4, `${bytes[3]} sides of 4 bytes each`, `${bytes.length - 4} bytes; the file is truncated`);
}

function wrongBytes(file: string, offset: number, expected: string, found: string): DataError {
  return new DataError(`${file}: expected ${expected} at byte ${offset}, found ${found}`);
}

function swapBytes(buffer: Buffer, width: number): void {
  if (width === 2) buffer.swap16();
  else if (width === 4) buffer.swap32();
  else buffer.swap64();
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
