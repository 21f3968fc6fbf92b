import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { defaultPixelLimit } from "./decode-options.ts";
import type { JpegChunk } from "./decode-pool.ts";
import { decodeJpegSync, isPlainJpeg, turboJpeg } from "./jpeg.ts";
import type { TurboJpeg } from "./jpeg.ts";
import { jpegHead } from "./jpeg-head.ts";
import { fitInto } from "./resize/resize.ts";
import { scratchOf } from "./scratch-buffers.ts";
import type { Scratch } from "./scratch-buffers.ts";

/** Decodes the files of each received chunk until none is left, then tells the parent. */
function serve(port: MessagePort, turbo: TurboJpeg | undefined): void {
  port.on("message", (chunk: JpegChunk) => {
    Atomics.store(chunk.busy, 0, 1);
    if (turbo !== undefined) decodeShare(turbo, chunk);
    Atomics.store(chunk.busy, 0, 0);
    Atomics.notify(chunk.busy, 0);
    port.postMessage(undefined);
  });
}

function decodeShare(turbo: TurboJpeg, chunk: JpegChunk): void {
  const progress = new Int32Array(chunk.memory, 0, 1 + chunk.files.length);
  for (;;) {
    const place = Atomics.add(progress, 0, 1);
    if (place >= chunk.files.length) return;
    if (decodeInto(turbo, chunk, place)) progress[1 + place] = 1;
  }
}

const compressed: Scratch = {};
const decoded: Scratch = {};

/**
 * Returns false if libjpeg-turbo cannot decode the file for any reason: the parent then tries it and reports the
 * reason.
 */
function decodeInto(turbo: TurboJpeg, { files, memory, starts, decoding }: JpegChunk, place: number): boolean {
  const { size, channels, orient, pixelLimit = defaultPixelLimit } = decoding;
  try {
    const bytes = read(files[place]!, memory);
    const head = jpegHead(bytes);
    if (!isPlainJpeg(head, orient) || head.height * head.width > pixelLimit) return false;
    const image = decodeJpegSync(turbo, bytes, channels, scratchOf(decoded, head.height * head.width * channels));
    if (image === undefined) return false;
    fitInto(new Uint8Array(memory, starts[place]!, size[0] * size[1] * channels), size, image, decoding);
    return true;
  } catch {
    return false;
  }
}

/** Copies an encoded image into memory that is reused for the next one. */
function read(source: JpegChunk["files"][number], memory: SharedArrayBuffer): Buffer {
  if (typeof source !== "string" && !("file" in source)) {
    const into = scratchOf(compressed, source.length) ?? Buffer.allocUnsafeSlow(source.length);
    into.set(new Uint8Array(memory, source.start, source.length));
    return into.subarray(0, source.length);
  }
  const handle = openSync(typeof source === "string" ? source : source.file, "r");
  try {
    const [start, length] = typeof source === "string" ? [0, fstatSync(handle).size] : [source.start, source.length];
    const into = scratchOf(compressed, length) ?? Buffer.allocUnsafeSlow(length);
    return into.subarray(0, readSync(handle, into, 0, length, start));
  } finally {
    closeSync(handle);
  }
}

if (parentPort !== null) serve(parentPort, turboJpeg());
