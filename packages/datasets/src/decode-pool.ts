import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { FitOptions } from "./resize.ts";

/** How a pool's files are decoded; everything is said. */
export interface PoolDecoding extends FitOptions {
  size: readonly [h: number, w: number];
  channels: 1 | 3;
  orient: boolean;
}

/** JPEG files for the threads to share out among themselves. */
export interface JpegBatch {
  files: readonly string[];
  /** The memory that the images go to, and where in it each starts. */
  pixels: SharedArrayBuffer;
  starts: readonly number[];
  decoding: PoolDecoding;
  /** int32: the next file to take, then for each file 1 once it is decoded. */
  progress: SharedArrayBuffer;
}

/** One thread, and who waits for it to end its part of a batch. */
interface Lane {
  worker: Worker;
  waiting: (() => void)[];
}

const lanes: Lane[] = [];
/** A thread that died is not started again: what it does not do is done here. */
let isBroken = false;

/**
 * Decodes JPEG files in threads of their own, as many as `workers` (of one a core), and resolves to whether each was decoded: a
 * file that libjpeg-turbo does not take is left to the caller. The threads start with the first batch and never keep the process
 * alive, except while somebody waits for them.
 */
export async function decodeInPool(
  { files, ...batch }: Omit<JpegBatch, "progress">,
  workers = availableParallelism(),
): Promise<boolean[]> {
  const progress = new SharedArrayBuffer(4 * (1 + files.length));
  const wanted = Math.min(workers, files.length);
  while (!isBroken && lanes.length < wanted) lanes.push(startLane());
  await Promise.all(lanes.slice(0, wanted).map((lane) => send(lane, { files, ...batch, progress })));
  const done = new Int32Array(progress, 4);
  return files.map((_, place) => done[place] === 1);
}

/** Resolves once the thread has nothing left to take of the batch, or is dead. */
async function send({ worker, waiting }: Lane, batch: JpegBatch): Promise<void> {
  return new Promise((resolve) => {
    worker.ref();
    waiting.push(resolve);
    worker.postMessage(batch, []);
  });
}

function startLane(): Lane {
  // Flags of the process (a loader, a profiler) are not the thread's.
  const worker = new Worker(new URL("../worker/decode.js", import.meta.url), { execArgv: [] });
  const lane: Lane = { worker, waiting: [] };
  const end = () => {
    isBroken = true;
    const place = lanes.indexOf(lane);
    if (place >= 0) lanes.splice(place, 1);
    for (const resolve of lane.waiting.splice(0)) resolve();
  };
  worker.on("message", () => {
    const resolve = lane.waiting.shift();
    if (lane.waiting.length === 0) worker.unref();
    resolve?.();
  });
  worker.on("error", end);
  worker.on("exit", end);
  worker.unref();
  return lane;
}
