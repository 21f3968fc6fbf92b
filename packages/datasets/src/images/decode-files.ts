import { availableParallelism, decodeInPool } from "@convkit/datasets/platform";
import pLimit from "p-limit";
import type { PoolDecoding } from "./decode-pool.ts";
import { decodeInto } from "./decode.ts";
import { type ImageSource, isJpeg } from "./image-source.ts";

export interface FilesDecoding extends PoolDecoding {
  /** Number of threads that decode JPEG files; with 0, libuv's threads decode all files. */
  workers?: number | undefined;
}

/** An encoded image and the memory for its pixels. */
interface WantedImage {
  readonly source: ImageSource;
  readonly target: Uint8Array;
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
export async function decodeFiles(wanted: readonly WantedImage[], decoding: FilesDecoding): Promise<unknown[]> {
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
async function decodedInPool(wanted: readonly WantedImage[], decoding: FilesDecoding): Promise<boolean[]> {
  const { workers, size, resize, crop, channels, orient, pixelLimit } = decoding;
  const isDone = wanted.map(() => false);
  const pooled = wanted.flatMap(({ source, target }, place) => (isJpeg(source) ? [{ source, target, place }] : []));
  if (pooled.length < fewest || workers === 0) return isDone;
  const done = await decodeInPool(pooled, { size, resize, crop, channels, orient, pixelLimit }, workers);
  for (const [index, { place }] of pooled.entries()) isDone[place] = done[index]!;
  return isDone;
}
