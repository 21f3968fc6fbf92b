import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import pLimit from "p-limit";
import type { FileSpan, PoolSource } from "./image-source.ts";
import type { FitOptions } from "./resize/resize.ts";
import { roundUp } from "./resize/wasm-kernel.ts";

/** An encoded image and the memory for its pixels. */
export interface WantedFile {
  source: PoolSource;
  target: Uint8Array;
}

/** How the files of a pool are decoded; no option has a default. */
export interface PoolDecoding extends FitOptions {
  size: readonly [h: number, w: number];
  channels: 1 | 3;
  orient: boolean;
  pixelLimit?: number | undefined;
}

/** JPEG files that the threads share out among themselves. */
export interface JpegChunk {
  files: readonly (string | FileSpan | MemorySpan)[];
  /**
   * First an int32 with the next file to take. Then for each file an int32 that becomes 1 once it is decoded. Then the
   * pixels, and then the encoded images that are no files.
   */
  memory: SharedArrayBuffer;
  /** The offset of each image in `memory`. */
  starts: readonly number[];
  /** 1 while the thread is working. */
  busy: Int32Array;
  decoding: PoolDecoding;
}

/** An encoded image in a chunk's memory. */
export interface MemorySpan {
  readonly start: number;
  readonly length: number;
}

/** One thread, and the callbacks that wait for the end of its part of a chunk. */
interface Lane {
  worker: Worker;
  /** 1 while the thread is working. */
  busy: Int32Array;
  waiting: (() => void)[];
}

const lanes: Lane[] = [];
/** The counters of next files of all chunks in progress. */
const underWay = new Set<Int32Array>();
/** A dead thread is not restarted; the caller must decode its files. */
let isBroken = false;

/** The limits of a chunk in bytes and in files; a chunk may always have four files. */
const chunkBytes = 4 * 2 ** 20;
const chunkFiles = 32;
/** Number of chunks in progress, so that threads find the next one when a chunk ends. */
const chunks = 3;
const inTurn = pLimit(chunks);
/** Milliseconds to wait for a file when the process ends. */
const patience = 10_000;

/**
 * Decodes JPEG files in `workers` threads (one per core by default). Resolves to whether each file was decoded; the
 * caller must decode files that libjpeg-turbo rejects. The threads start with the first files, and keep the process
 * alive only while a call is pending.
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
  let bytes = roundUp(4 * (1 + wanted.length));
  const starts = wanted.map(({ target }) => {
    // Bytes are copied eight at a time between equally aligned memory if one of the two is shared.
    const start = bytes + (target.byteOffset % 8);
    bytes = roundUp(start + target.length);
    return start;
  });
  const files = wanted.map(({ source }): string | FileSpan | MemorySpan => {
    if (typeof source === "string" || !("bytes" in source)) return source;
    const start = bytes;
    bytes += source.bytes.length;
    return { start, length: source.bytes.length };
  });
  const memory = takeMemory(bytes);
  for (const [place, { source }] of wanted.entries())
    if (typeof source !== "string" && "bytes" in source)
      new Uint8Array(memory).set(source.bytes, (files[place] as MemorySpan).start);
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

/**
 * If the process ended while libjpeg-turbo's binding works in a thread, it would abort. So this waits for the started
 * files.
 */
function stopThreads(): void {
  for (const progress of underWay) Atomics.store(progress, 0, progress.length);
  for (const { busy } of lanes) Atomics.wait(busy, 0, 1, patience);
}

/** Memory for reuse, since V8's garbage collector does not notice the size of shared memory. */
const spare: SharedArrayBuffer[] = [];

function takeMemory(bytes: number): SharedArrayBuffer {
  const memory = spare.pop();
  return memory !== undefined && memory.byteLength >= bytes ? memory : new SharedArrayBuffer(bytes);
}

/** Resolves once the thread finds no more files in the chunk, or is dead. */
async function send({ worker, waiting }: Lane, chunk: JpegChunk): Promise<void> {
  return new Promise((resolve) => {
    worker.ref();
    waiting.push(resolve);
    worker.postMessage(chunk, []);
  });
}

function startLane(): Lane {
  if (lanes.length === 0) process.once("exit", stopThreads);
  // The thread must not get the process's flags (a loader, a profiler).
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
