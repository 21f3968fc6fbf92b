import { closeSync, fstatSync, openSync, read as readLater, readSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { checkRange } from "../bytes/byte-source.ts";
import type { ByteSource, FileFolder } from "../bytes/byte-source.ts";
import type { FoundFile } from "../bytes/file-folder.ts";
import { WeightsError } from "../weights-error.ts";

/** One system call moves at most 2 GiB. */
const callLimit = 1 << 30;
const readPromised = promisify(readLater);

/** Opens a file for reads in parts; none of its content stays in memory. */
export function openFile(path: string): ByteSource {
  let descriptor: number;
  try {
    // Opening a pipe would wait for somebody to write into it.
    if (!statSync(path).isFile()) throw new WeightsError(path, "", "expected a file, but this is a folder or a device");
    descriptor = openSync(path, "r");
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    throw new WeightsError(path, "", `cannot be opened: ${(error as Error).message}`, { cause: error });
  }
  const { size } = fstatSync(descriptor);
  let open = true;
  const check = (offset: number, length: number, into?: Uint8Array): void => {
    if (!open) throw new WeightsError(path, `byte ${offset}`, "the file was closed before this was read");
    checkRange(path, size, offset, length, into);
  };
  const checkRead = (count: number, position: number): number => {
    if (count === 0) throw new WeightsError(path, `byte ${position}`, "the file became shorter while it was read");
    return count;
  };
  return {
    file: path,
    size,
    folder: diskFolder(dirname(path)),
    read(offset, length, into) {
      check(offset, length, into);
      const bytes = into?.subarray(0, length) ?? allocate(path, offset, length);
      for (let done = 0; done < length;) {
        const count = readSync(descriptor, bytes, done, Math.min(length - done, callLimit), offset + done);
        done += checkRead(count, offset + done);
      }
      return bytes;
    },
    async readAhead(offset, length, into) {
      check(offset, length, into);
      const bytes = into.subarray(0, length);
      for (let done = 0; done < length;) {
        const part = Math.min(length - done, callLimit);
        const { bytesRead } = await readPromised(descriptor, bytes, done, part, offset + done);
        done += checkRead(bytesRead, offset + done);
      }
      return bytes;
    },
    close() {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}

/** A folder of the disk. */
export function diskFolder(path: string): FileFolder {
  return {
    path,
    has: (name) => statSync(join(path, name), { throwIfNoEntry: false }) !== undefined,
    open: (name) => openFile(join(path, name)),
    leadsOut(name) {
      const inner = relative(realpathSync(resolve(path)), realpathSync(join(path, name)));
      return inner === "" || isAbsolute(inner) || inner.split(/[/\\]/)[0] === "..";
    },
  };
}

/** The file or folder of a path. Throws `WeightsError` if there is none. */
export function findPath(at: string | URL): FoundFile {
  const path = at instanceof URL ? fileURLToPath(at) : at;
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new WeightsError(path, "", "there is no such file");
  const isFolder = stat.isDirectory();
  return { name: path, isFolder, folder: diskFolder(isFolder ? path : dirname(path)), open: () => openFile(path) };
}

/** The names of the folders that a file lies in, from the root. */
export function folderNames(path: string): string[] {
  return dirname(resolve(path)).split(/[\\/]/);
}

/** Uninitialised memory in a new ArrayBuffer; the read fills it. */
function allocate(file: string, offset: number, length: number): Uint8Array<ArrayBuffer> {
  let buffer: Buffer;
  try {
    buffer = Buffer.allocUnsafeSlow(length);
  } catch (error) {
    throw new WeightsError(file, `byte ${offset}`, `${length} bytes at a time are more than memory takes`, {
      cause: error,
    });
  }
  return new Uint8Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, length);
}
