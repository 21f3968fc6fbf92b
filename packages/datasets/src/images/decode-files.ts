import { availableParallelism } from "node:os";
import { extname } from "node:path";
import pLimit from "p-limit";
import { decodeInPool } from "./decode-pool.ts";
import type { PoolDecoding, WantedFile } from "./decode-pool.ts";
import { decodeInto } from "./decode.ts";

export interface FilesDecoding extends PoolDecoding {
  /** How many threads decode JPEG files; 0 decodes all files in libuv's threads. */
  workers?: number | undefined;
}

// Decoded whole, a photograph is tens of megabytes: few at a time, whatever the batch. libuv has four threads.
const inParallel = pLimit(Math.max(4, availableParallelism()));

/** Fewer files than this are not worth handing to other threads. */
const fewest = 4;

/**
 * Decodes files into their targets, `[h, w, channels]` each: JPEG files in threads of their own, others (and what those threads
 * leave) in libuv's. Resolves to one entry for each file: its error, or undefined if it was decoded.
 */
export async function decodeFiles(wanted: readonly WantedFile[], decoding: FilesDecoding): Promise<unknown[]> {
  const isDone = await decodedInPool(wanted, decoding);
  return Promise.all(
    wanted.map(async ({ file, target }, place) => {
      if (isDone[place]) return undefined;
      try {
        await inParallel(() => decodeInto(target, file, decoding));
        return undefined;
      } catch (error) {
        return error;
      }
    }),
  );
}

/** Whether each file was decoded in the pool. */
async function decodedInPool(wanted: readonly WantedFile[], decoding: FilesDecoding): Promise<boolean[]> {
  const { workers, size, resize, crop, channels, orient, pixelLimit } = decoding;
  const isDone = wanted.map(() => false);
  const places = [...wanted.keys()].filter((place) => isJpeg(wanted[place]!.file));
  if (places.length < fewest || workers === 0) return isDone;
  const done = await decodeInPool(
    places.map((place) => wanted[place]!),
    { size, resize, crop, channels, orient, pixelLimit },
    workers,
  );
  for (const [index, place] of places.entries()) isDone[place] = done[index]!;
  return isDone;
}

function isJpeg(file: string): boolean {
  return [".jpg", ".jpeg", ".jfif"].includes(extname(file).toLowerCase());
}
