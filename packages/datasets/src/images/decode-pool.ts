import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import pLimit from "p-limit";
import type { FitOptions } from "./resize/resize.ts";
import { roundUp } from "./resize/wasm-kernel.ts";

/** An image file, and the memory that its pixels go to. */
export interface WantedFile {
  file: string;
  target: Uint8Array;
}

/** How the files of a pool are decoded; no option has a default. */
export interface PoolDecoding extends FitOptions {
  size: readonly [h: number, w: number];
  channels: 1 | 3;
  orient: boolean;
  pixelLimit?: number | undefined;
}

/** JPEG files for the threads to share out among themselves. */
export interface JpegChunk {
  files: readonly string[];
  /** First int32: the next file to take, then for each file 1 once it is decoded. Then the images. */
  memory: SharedArrayBuffer;
  /** Where in it each image goes. */
  starts: readonly number[];
  /** 1 while the thread is at work. */
  busy: Int32Array;
  decoding: PoolDecoding;
}

/** One thread, and the callbacks that wait for the end of its part of a chunk. */
interface Lane {
  worker: Worker;
  /** 1 while it is at work. */
  busy: Int32Array;
  waiting: (() => void)[];
}

const lanes: Lane[] = [];
/** Of the chunks that are under way: their first files to take. */
const underWay = new Set<Int32Array>();
/** A thread that died is not started again; its files are left to the caller. */
let isBroken = false;

/** The most bytes, and the most files, that threads are sent at a time, as long as there are four. */
const chunkBytes = 4 * 2 ** 20;
const chunkFiles = 32;
/** Chunks that are under way at a time: threads find the next one when they end one. */
const chunks = 3;
const inTurn = pLimit(chunks);
/** Milliseconds that one file may take when the process ends. */
const patience = 10_000;

/**
 * Decodes JPEG files in threads of their own, as many as `workers` (of one a core), and resolves to whether each was decoded: a
 * file that libjpeg-turbo does not take is left to the caller. The threads start with the first files and never keep the process
 * alive, except while somebody waits for them.
 */
export async function decodeInPool(
  wanted: readonly WantedFile[],
  decoding: PoolDecoding,
  workers = availableParallelism(),
): Promise<boolean[]> {
  const [height, width] = decoding.size;
  const most = Math.floor(chunkBytes / (height * width * decoding.channels));
  const length = Math.min(chunkFiles, Math.max(4, most));
  const parts = Array.from({ length: Math.ceil(wanted.length / length) }, (_, i) =>
    wanted.slice(i * length, (i + 1) * length),
  );
  const done = await Promise.all(parts.map((part) => inTurn(() => decodeChunk(part, decoding, workers))));
  return done.flat();
}

async function decodeChunk(wanted: readonly WantedFile[], decoding: PoolDecoding, workers: number): Promise<boolean[]> {
  const files = wanted.map(({ file }) => file);
  let bytes = roundUp(4 * (1 + files.length));
  const starts = wanted.map(({ target }) => {
    // Between memory that lies alike, bytes are copied eight at a time where one of the two is shared.
    const start = bytes + (target.byteOffset % 8);
    bytes = roundUp(start + target.length);
    return start;
  });
  const memory = takeMemory(bytes);
  const progress = new Int32Array(memory, 0, 1 + files.length).fill(0);
  const count = Math.min(workers, files.length);
  while (!isBroken && lanes.length < count) lanes.push(startLane());
  underWay.add(progress);
  await Promise.all(
    lanes.slice(0, count).map((lane) => send(lane, { files, memory, starts, busy: lane.busy, decoding })),
  );
  underWay.delete(progress);
  const isDone = files.map((_, place) => progress[1 + place] === 1);
  for (const [place, { target }] of wanted.entries())
    if (isDone[place]) target.set(new Uint8Array(memory, starts[place]!, target.length));
  if (spare.length < chunks) spare.push(memory);
  return isDone;
}

/** A process that ends while libjpeg-turbo's binding is at work in a thread would be aborted: waits for the files begun. */
function stopThreads(): void {
  for (const progress of underWay) Atomics.store(progress, 0, progress.length);
  for (const { busy } of lanes) Atomics.wait(busy, 0, 1, patience);
}

/** Used again, since V8 does not count shared memory among what calls for a collection. */
const spare: SharedArrayBuffer[] = [];

function takeMemory(bytes: number): SharedArrayBuffer {
  const memory = spare.pop();
  return memory !== undefined && memory.byteLength >= bytes ? memory : new SharedArrayBuffer(bytes);
}

/** Resolves once the thread has nothing left to take of the chunk, or is dead. */
async function send({ worker, waiting }: Lane, chunk: JpegChunk): Promise<void> {
  return new Promise((resolve) => {
    worker.ref();
    waiting.push(resolve);
    worker.postMessage(chunk, []);
  });
}

function startLane(): Lane {
  if (lanes.length === 0) process.once("exit", stopThreads);
  // Flags of the process (a loader, a profiler) are not the thread's.
  const worker = new Worker(new URL("../../worker/decode.js", import.meta.url), { execArgv: [] });
  const lane: Lane = { worker, busy: new Int32Array(new SharedArrayBuffer(4)), waiting: [] };
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
