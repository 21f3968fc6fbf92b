import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { WeightsError } from "../weights-error.ts";

/** Where a writer puts its bytes. */
export interface ByteSink {
  /** Bytes written so far. */
  readonly position: number;
  write(bytes: Uint8Array): void;
}

/** Writes a file that appears whole or not at all: beside it first, then renamed over it. Returns its bytes. */
export function writeAtomically(path: string, fill: (sink: ByteSink) => void): number {
  const target = resolve(path);
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString("hex")}.part`);
  let descriptor: number | undefined;
  try {
    mkdirSync(dirname(target), { recursive: true });
    descriptor = openSync(temporary, "wx");
    const sink = fileSink(descriptor);
    fill(sink);
    fsyncSync(descriptor);
    closeSync(descriptor);
    descriptor = undefined;
    renameSync(temporary, target);
    return sink.position;
  } catch (error) {
    if (descriptor !== undefined) closeSync(descriptor);
    if (existsSync(temporary)) rmSync(temporary, { force: true });
    throw unwritten(path, error);
  }
}

/** Fills a folder that replaces `path` whole or not at all. */
export async function writeFolderAtomically(
  path: string,
  fill: (folder: string) => void | Promise<void>,
): Promise<void> {
  const target = resolve(path);
  const temporary = folderBeside(target, path);
  const old = `${temporary}.old`;
  try {
    await fill(temporary);
    if (existsSync(target)) renameSync(target, old);
    renameSync(temporary, target);
  } catch (error) {
    if (existsSync(old) && !existsSync(target)) renameSync(old, target);
    throw unwritten(path, error);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
}

function folderBeside(target: string, path: string): string {
  try {
    mkdirSync(dirname(target), { recursive: true });
    return mkdtempSync(join(dirname(target), `.${basename(target)}.part-`));
  } catch (error) {
    throw unwritten(path, error);
  }
}

function unwritten(path: string, error: unknown): WeightsError {
  return error instanceof WeightsError
    ? error
    : new WeightsError(path, "", `cannot be written: ${(error as Error).message}`, { cause: error });
}

function fileSink(descriptor: number): ByteSink {
  let position = 0;
  return {
    get position() {
      return position;
    },
    write(bytes) {
      // One system call moves at most 2 GiB.
      for (let done = 0; done < bytes.byteLength;) {
        done += writeSync(descriptor, bytes, done, Math.min(bytes.byteLength - done, 1 << 30));
      }
      position += bytes.byteLength;
    },
  };
}
