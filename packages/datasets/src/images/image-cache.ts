import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { dataCache, makeCacheFolder } from "../storage/cache.ts";

/** An image and the memory for it. */
export interface WantedImage {
  index: number;
  target: Uint8Array;
}

/** Writes images into their targets; resolves to one entry per image: its error, or undefined if it was written. */
export type ImageReader = (wanted: readonly WantedImage[]) => Promise<unknown[]>;

/** Keeps pixels in memory. */
export function memoryStore(): Store {
  const pixelsOf = new Map<number, Uint8Array>();
  return {
    async take({ index, target }) {
      const pixels = pixelsOf.get(index);
      if (pixels !== undefined) target.set(pixels);
      return pixels !== undefined;
    },
    async keep({ index, target }) {
      pixelsOf.set(index, target.slice());
    },
  };
}

/** A cache of decoded pixels. */
export interface Store {
  /** Writes an image into its target and returns true if the cache has it. */
  take(wanted: WantedImage): Promise<boolean>;
  keep(read: WantedImage): Promise<void>;
}

/** A reader that decodes only the images that `store` has not, and keeps them there. */
export function keeping(read: ImageReader, store: Store | undefined): ImageReader {
  if (store === undefined) return read;
  const { take, keep } = store;
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
 * Keeps pixels in a cache file, for this run and later ones. `key` holds everything that the pixels depend on: the
 * files with size and date, the requested size, and how images are resized.
 */
export async function diskStore({
  key,
  count,
  bytes,
  cache = dataCache(),
}: {
  key: unknown;
  count: number;
  bytes: number;
  cache?: string | undefined;
}): Promise<Store> {
  const folder = await makeCacheFolder(join(cache, "images"));
  const name = createHash("sha256").update(JSON.stringify(key)).digest("hex").slice(0, 32);
  const pixels = join(folder, `${name}.pixels`);
  // One byte for each image, written after its pixels: 1 if the pixels are in the file.
  const marks = join(folder, `${name}.marks`);
  for (const file of [pixels, marks]) await withFile(file, "a", async () => {});
  const isWritten = new Uint8Array(count);
  await withFile(marks, "r", (handle) => handle.read(isWritten, 0, count, 0));
  return {
    async take({ index, target }) {
      if (isWritten[index] !== 1) return false;
      const { bytesRead } = await withFile(pixels, "r", (handle) => handle.read(target, 0, bytes, index * bytes));
      return bytesRead === bytes;
    },
    async keep({ index, target }) {
      await withFile(pixels, "r+", (handle) => handle.write(target, 0, bytes, index * bytes));
      await withFile(marks, "r+", (handle) => handle.write(Uint8Array.of(1), 0, 1, index));
      isWritten[index] = 1;
    },
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
