import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import type { JpegBatch } from "./decode-pool.ts";
import { decodeJpegSync, isPlainJpeg, jpegHead, turboJpeg } from "./jpeg.ts";
import type { TurboJpeg } from "./jpeg.ts";
import { fitInto } from "./resize.ts";
import { scratchOf } from "./scratch.ts";
import type { Scratch } from "./scratch.ts";

/** The thread's life: takes files off each batch that it is sent until none is left, then says so. */
function serve(port: MessagePort, turbo: TurboJpeg | undefined): void {
  port.on("message", (batch: JpegBatch) => {
    if (turbo !== undefined) decodeShare(turbo, batch);
    port.postMessage(undefined);
  });
}

function decodeShare(turbo: TurboJpeg, batch: JpegBatch): void {
  const progress = new Int32Array(batch.progress);
  for (;;) {
    const place = Atomics.add(progress, 0, 1);
    if (place >= batch.files.length) return;
    if (decodeInto(turbo, batch, place)) progress[1 + place] = 1;
  }
}

const compressed: Scratch = {};
const decoded: Scratch = {};

/** False where the file is not one for libjpeg-turbo, whatever the cause: whoever asked then finds out. */
function decodeInto(turbo: TurboJpeg, { files, pixels, starts, decoding }: JpegBatch, place: number): boolean {
  const { size, channels, orient } = decoding;
  try {
    const bytes = read(files[place]!);
    const head = jpegHead(bytes);
    if (!isPlainJpeg(head, orient)) return false;
    const image = decodeJpegSync(turbo, bytes, channels, scratchOf(decoded, head.height * head.width * channels));
    if (image === undefined) return false;
    fitInto(new Uint8Array(pixels, starts[place]!, size[0] * size[1] * channels), size, image, decoding);
    return true;
  } catch {
    return false;
  }
}

/** A file's bytes, in memory that the next file is read into. */
function read(file: string): Buffer {
  const handle = openSync(file, "r");
  try {
    const { size } = fstatSync(handle);
    const into = scratchOf(compressed, size) ?? Buffer.allocUnsafeSlow(size);
    return into.subarray(0, readSync(handle, into, 0, size, 0));
  } finally {
    closeSync(handle);
  }
}

if (parentPort !== null) serve(parentPort, await turboJpeg());
