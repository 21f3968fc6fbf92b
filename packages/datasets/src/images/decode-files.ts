import { availableParallelism } from "node:os";
import pLimit from "p-limit";
import { decodeInPool } from "./decode-pool.ts";
import type { PoolDecoding, WantedFile } from "./decode-pool.ts";
import { decodeInto } from "./decode.ts";
import { isJpeg } from "./image-source.ts";

export interface FilesDecoding extends PoolDecoding {
  /** Number of threads that decode JPEG files; with 0, libuv's threads decode all files. */
  workers?: number | undefined;
}

// A decoded photograph has tens of megabytes, so only few are decoded at once, whatever the batch. libuv has four
// threads.
const inParallel = pLimit(Math.max(4, availableParallelism()));

/** Fewer files than this are not worth sending to other threads. */
const fewest = 4;

/**
 * Decodes files into their targets, `[h, w, channels]` each. The pool's threads decode JPEG files; libuv's threads
 * decode other files, and the ones that the pool could not decode. Resolves to one entry per file: its error, or
 * undefined if it was decoded.
 */
export async function decodeFiles(wanted: readonly WantedFile[], decoding: FilesDecoding): Promise<unknown[]> {
  const isDone = await decodedInPool(wanted, decoding);
  return Promise.all(
    wanted.map(async ({ source, target }, place) => {
      if (isDone[place]) return undefined;
      try {
        await inParallel(() => decodeInto(target, source, decoding));
        return undefined;
      } catch (error) {
        return error;
      }
    }),
  );
}

/** Says for each file whether the pool decoded it. */
async function decodedInPool(wanted: readonly WantedFile[], decoding: FilesDecoding): Promise<boolean[]> {
  const { workers, size, resize, crop, channels, orient, pixelLimit } = decoding;
  const isDone = wanted.map(() => false);
  const places = [...wanted.keys()].filter((place) => isJpeg(wanted[place]!.source));
  if (places.length < fewest || workers === 0) return isDone;
  const done = await decodeInPool(
    places.map((place) => wanted[place]!),
    { size, resize, crop, channels, orient, pixelLimit },
    workers,
  );
  for (const [index, place] of places.entries()) isDone[place] = done[index]!;
  return isDone;
}
