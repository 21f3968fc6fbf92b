import { open, readFile } from "node:fs/promises";
import { extname } from "node:path";
import { DataError } from "../data-error.ts";

/** A part of a file that is an encoded image. */
export interface FileSpan {
  readonly file: string;
  /** Offset and length in bytes. */
  readonly start: number;
  readonly length: number;
  /** What messages call the image. */
  readonly name: string;
  readonly isJpeg: boolean;
}

/** An encoded image in memory. */
export interface NamedBytes {
  readonly bytes: Uint8Array;
  /** What messages call the image. */
  readonly name: string;
}

/** An image file, a part of a file, or bytes. */
export type ImageSource = string | FileSpan | NamedBytes;

/** What messages call the image. */
export function nameOf(source: ImageSource): string {
  return typeof source === "string" ? source : source.name;
}

/** True if the pool's threads should try the image first. */
export function isJpeg(source: ImageSource): boolean {
  if (typeof source === "string") return [".jpg", ".jpeg", ".jfif"].includes(extname(source).toLowerCase());
  return "bytes" in source ? source.bytes[0] === 0xff && source.bytes[1] === 0xd8 : source.isJpeg;
}

/** The encoded image's bytes. Throws a DataError if there are none, or if the file is shorter than it was. */
export async function contentOf(source: ImageSource): Promise<Uint8Array> {
  const bytes =
    typeof source === "string" ? await readFile(source) : "bytes" in source ? source.bytes : await readSpan(source);
  if (bytes.length === 0) throw new DataError(typeof source === "string" ? "the file is empty" : "it has no bytes");
  return bytes;
}

async function readSpan({ file, start, length }: FileSpan): Promise<Buffer> {
  const handle = await open(file);
  try {
    const bytes = Buffer.allocUnsafe(length);
    const { bytesRead } = await handle.read(bytes, 0, length, start);
    if (bytesRead < length) throw new DataError(`${file} ends in it; the file was changed since it was opened`);
    return bytes;
  } finally {
    await handle.close();
  }
}
