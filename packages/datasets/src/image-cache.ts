import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { dataCache, makeCacheFolder } from "./cache.ts";

/** Writes image `index` into `target`. */
export type ImageReader = (index: number, target: Uint8Array) => Promise<void>;

/** The same reader, that decodes each image once and keeps its pixels in memory. */
export function keptInMemory(read: ImageReader): ImageReader {
  const kept = new Map<number, Uint8Array>();
  return async (index, target) => {
    const pixels = kept.get(index);
    if (pixels !== undefined) {
      target.set(pixels);
      return;
    }
    await read(index, target);
    kept.set(index, target.slice());
  };
}

/**
 * The same reader, that decodes each image once and keeps its pixels in a file of the cache, this run's and later ones'.
 * `key` tells everything the pixels depend on: the files with size and date, the size asked for, how they are resized.
 */
export async function keptOnDisk(
  read: ImageReader,
  {
    key,
    count,
    bytes,
    cache = dataCache(),
  }: { key: unknown; count: number; bytes: number; cache?: string | undefined },
): Promise<ImageReader> {
  const folder = await makeCacheFolder(join(cache, "images"));
  const name = createHash("sha256").update(JSON.stringify(key)).digest("hex").slice(0, 32);
  const pixels = join(folder, `${name}.pixels`);
  // A byte an image, written after its pixels: 1 where they are there.
  const marks = join(folder, `${name}.marks`);
  for (const file of [pixels, marks]) await withFile(file, "a", async () => {});
  const kept = new Uint8Array(count);
  await withFile(marks, "r", (handle) => handle.read(kept, 0, count, 0));
  return async (index, target) => {
    if (kept[index] === 1) {
      const { bytesRead } = await withFile(pixels, "r", (handle) => handle.read(target, 0, bytes, index * bytes));
      if (bytesRead === bytes) return;
    }
    await read(index, target);
    await withFile(pixels, "r+", (handle) => handle.write(target, 0, bytes, index * bytes));
    await withFile(marks, "r+", (handle) => handle.write(Uint8Array.of(1), 0, 1, index));
    kept[index] = 1;
  };
}

async function withFile<Result>(
  file: string,
  flags: string,
  work: (handle: FileHandle) => Promise<Result>,
): Promise<Result> {
  const handle = await open(file, flags);
  try {
    return await work(handle);
  } finally {
    await handle.close();
  }
}
