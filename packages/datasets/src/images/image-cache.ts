import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { dataCache, makeCacheFolder } from "../storage/cache.ts";

/** An image, and the memory that it goes to. */
export interface WantedImage {
  index: number;
  target: Uint8Array;
}

/** Writes images into their targets; resolves to why each could not be, undefined where it was. */
export type ImageReader = (wanted: readonly WantedImage[]) => Promise<unknown[]>;

/** The same reader, that decodes each image once and keeps its pixels in memory. */
export function keptInMemory(read: ImageReader): ImageReader {
  const kept = new Map<number, Uint8Array>();
  return keeping(read, {
    async take({ index, target }) {
      const pixels = kept.get(index);
      if (pixels !== undefined) target.set(pixels);
      return pixels !== undefined;
    },
    async keep({ index, target }) {
      kept.set(index, target.slice());
    },
  });
}

/** Where pixels are kept. */
interface Store {
  /** Writes an image into its target if it is kept; whether it is. */
  take(wanted: WantedImage): Promise<boolean>;
  keep(read: WantedImage): Promise<void>;
}

function keeping(read: ImageReader, { take, keep }: Store): ImageReader {
  return async (wanted) => {
    const taken = await Promise.all(wanted.map(take));
    const missing = wanted.filter((_, place) => !taken[place]);
    const failures = await read(missing);
    await Promise.all(missing.map(async (image, place) => failures[place] === undefined && keep(image)));
    let next = 0;
    return taken.map((there) => (there ? undefined : failures[next++]));
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
  return keeping(read, {
    async take({ index, target }) {
      if (kept[index] !== 1) return false;
      const { bytesRead } = await withFile(pixels, "r", (handle) => handle.read(target, 0, bytes, index * bytes));
      return bytesRead === bytes;
    },
    async keep({ index, target }) {
      await withFile(pixels, "r+", (handle) => handle.write(target, 0, bytes, index * bytes));
      await withFile(marks, "r+", (handle) => handle.write(Uint8Array.of(1), 0, 1, index));
      kept[index] = 1;
    },
  });
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
