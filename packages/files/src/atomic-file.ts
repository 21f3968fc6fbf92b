import { rmdirSync, rmSync, writeSync } from "node:fs";
import { open, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { unwritable } from "./file-error.ts";
import { makeFolders, removeEmpty } from "./make-folder.ts";
import { temporaryName } from "./temporary-name.ts";
import { undoAtExit } from "./until-exit.ts";

/** Takes bytes in the order of the file. */
export interface ByteSink {
  /** Bytes written so far. */
  readonly position: number;
  write(bytes: Uint8Array): void;
}

/** What a file is made of: text as UTF-8, bytes, several of them, or a function that writes bytes one after the other. */
export type FileContent =
  | string
  | Uint8Array
  | readonly (string | Uint8Array)[]
  | ((sink: ByteSink) => void | Promise<void>);

/** A file that is written piece by piece and appears whole or not at all. */
export interface AtomicFile extends ByteSink {
  /** Writes at the end without blocking the event loop. */
  append(data: string | Uint8Array): Promise<void>;
  /** Puts the file in its place, over an older one of that name. */
  commit(): Promise<void>;
  /** Removes what was written, unless it was committed. */
  discard(): Promise<void>;
}

/**
 * Opens a file beside `path` that takes its place on `commit`. Makes missing folders, and removes them again on `discard`. A link
 * at `path` stays: the file behind it is replaced. A device or pipe, such as /dev/stdout, is written to as it is. A process that exits
 * meanwhile leaves neither the file nor the folders. Every method throws a FileError that names `path`.
 */
export async function openAtomicFile(path: string): Promise<AtomicFile> {
  const isStream = await isDeviceOrPipe(path);
  const target = isStream ? resolve(path) : await realpath(path).catch(() => resolve(path));
  const made = await makeFolders(dirname(target)).catch((error: unknown) => {
    throw unwritable(path, error);
  });
  const temporary = isStream ? target : temporaryName(target);
  const mode = await stat(target).then(
    (old) => old.mode & 0o777,
    () => 0o666,
  );
  // Begins before the file is made: the process may exit once the file is there and before `open` returns.
  const settled = undoAtExit(() => {
    if (isStream) return;
    rmSync(temporary, { force: true });
    for (const folder of made) rmdirSync(folder);
  });
  const file = await open(temporary, isStream ? "w" : "wx", mode).catch(async (error: unknown) => {
    await removeEmpty(made);
    settled();
    throw unwritable(path, error);
  });
  let position = 0;
  let isOpen = true;
  const close = async () => {
    isOpen = false;
    await file.close();
  };
  const discard = async () => {
    if (!isOpen) return;
    await close().catch(() => undefined);
    if (!isStream) {
      await rm(temporary, { force: true });
      await removeEmpty(made);
    }
    settled();
  };
  return {
    get position() {
      return position;
    },
    write(bytes) {
      try {
        // One system call moves at most 2 GiB.
        for (let done = 0; done < bytes.byteLength;)
          done += writeSync(file.fd, bytes, done, Math.min(bytes.byteLength - done, 1 << 30));
      } catch (error) {
        throw unwritable(path, error);
      }
      position += bytes.byteLength;
    },
    async append(data) {
      const bytes = typeof data === "string" ? Buffer.from(data) : data;
      await file.writeFile(bytes).catch((error: unknown) => {
        throw unwritable(path, error);
      });
      position += bytes.byteLength;
    },
    async commit() {
      try {
        if (!isStream) await file.sync();
        await file.close();
        if (!isStream) await rename(temporary, target);
        isOpen = false;
        settled();
      } catch (error) {
        throw unwritable(path, error);
      }
    },
    discard,
  };
}

/** True where a file of that name must not take the place of what is there: a device, a pipe or a socket. */
async function isDeviceOrPipe(path: string): Promise<boolean> {
  const there = await stat(path).catch(() => undefined);
  return there !== undefined && !there.isFile() && !there.isDirectory();
}

/**
 * Writes a whole file or nothing: readers see the old content or the new one, also after a crash or a power failure. Makes missing
 * folders. Returns the file's bytes. Throws a FileError that names `path` where it cannot be written, and what `content` throws.
 */
export async function writeFileAtomic(path: string, content: FileContent): Promise<number> {
  const file = await openAtomicFile(path);
  try {
    if (typeof content === "function") await content(file);
    else {
      const parts = typeof content === "string" || content instanceof Uint8Array ? [content] : content;
      for (const part of parts) await file.append(part);
    }
    await file.commit();
    return file.position;
  } finally {
    await file.discard();
  }
}
