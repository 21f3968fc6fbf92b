import { open, readFile } from "node:fs/promises";
import { DataError } from "../data-error.ts";
import { fetchStart, fetchWhole } from "./fetch-image.ts";
import type { FileSpan } from "./image-source.ts";

/** The bytes of a file, or at an address. */
export async function readWhole(file: string | URL): Promise<Uint8Array> {
  return isAddress(file) ? fetchWhole(file) : readFile(file);
}

/** The first `count` bytes of a file or at an address, or fewer if it is shorter. */
export async function readStart(file: string | URL, count: number): Promise<Uint8Array> {
  if (isAddress(file)) return fetchStart(file, count);
  const handle = await open(file);
  try {
    const start = new Uint8Array(count);
    const { bytesRead } = await handle.read(start, 0, count, 0);
    return start.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** The bytes of a part of a file. Throws a DataError if the file is shorter than it was. */
export async function readSpan({ file, start, length }: FileSpan): Promise<Uint8Array> {
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

function isAddress(file: string | URL): boolean {
  return file instanceof URL && file.protocol !== "file:";
}
