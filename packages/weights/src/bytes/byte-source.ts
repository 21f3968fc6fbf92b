import { closeSync, fstatSync, openSync, read as readLater, readSync, statSync } from "node:fs";
import { promisify } from "node:util";
import { WeightsError } from "../weights-error.ts";

/** Bytes that are read in parts: a file, a part of a file, or memory. */
export interface ByteSource {
  /** The file's name, for errors. */
  readonly file: string;
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset`, in a new buffer or in `into`; throws `WeightsError` if the file is too
   * short.
   */
  read(offset: number, length: number, into?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  /**
   * Reads asynchronously. Callers must not touch `into` until the promise resolves. Sources in memory lack this
   * method.
   */
  readAhead?(offset: number, length: number, into: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  close(): void;
}

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

/** A source over bytes in memory. `read` copies, so typed arrays can use the returned buffer. */
export function memorySource(bytes: Uint8Array, file: string): ByteSource {
  return {
    file,
    size: bytes.byteLength,
    read(offset, length, into) {
      checkRange(file, bytes.byteLength, offset, length, into);
      const part = bytes.subarray(offset, offset + length);
      if (into === undefined) return new Uint8Array(part);
      into.set(part);
      return into.subarray(0, length);
    },
    close() {},
  };
}

/**
 * A source over a part of another source, named after the file and the part. Closing it does not close the other
 * source.
 */
export function windowOf(source: ByteSource, offset: number, size: number, name: string): ByteSource {
  checkRange(source.file, source.size, offset, size);
  const file = `${source.file}/${name}`;
  return {
    file,
    size,
    read(start, length, into) {
      checkRange(file, size, start, length, into);
      return source.read(offset + start, length, into);
    },
    ...(source.readAhead !== undefined && {
      async readAhead(start: number, length: number, into: Uint8Array<ArrayBuffer>) {
        checkRange(file, size, start, length, into);
        return source.readAhead!(offset + start, length, into);
      },
    }),
    close() {},
  };
}

/** Several sources, one after the other. Closing the result closes them. */
export function concatenated(file: string, parts: readonly ByteSource[]): ByteSource {
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  return {
    file,
    size,
    read(offset, length, into) {
      checkRange(file, size, offset, length, into);
      const whole = into?.subarray(0, length) ?? new Uint8Array(length);
      let start = 0;
      for (const part of parts) {
        const from = Math.max(offset, start);
        const to = Math.min(offset + length, start + part.size);
        if (from < to) part.read(from - start, to - from, whole.subarray(from - offset, to - offset));
        start += part.size;
      }
      return whole;
    },
    close: () => parts.forEach((part) => part.close()),
  };
}

function checkRange(file: string, size: number, offset: number, length: number, into?: Uint8Array): void {
  if (into !== undefined && into.byteLength < length)
    throw new WeightsError(file, `byte ${offset}`, `expected a buffer for ${length} bytes, got ${into.byteLength}`);
  if (
    !Number.isSafeInteger(offset) ||
    !Number.isSafeInteger(length) ||
    offset < 0 ||
    length < 0 ||
    offset + length > size
  ) {
    throw new WeightsError(
      file,
      `byte ${offset}`,
      `expected ${length} bytes here, but the file has ${size} bytes in all`,
    );
  }
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
