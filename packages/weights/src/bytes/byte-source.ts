import { WeightsError } from "../weights-error.ts";

/** Bytes that are read in parts: a file, a part of a file, or memory. */
export interface ByteSource {
  /** The file's name, for errors. */
  readonly file: string;
  readonly size: number;
  /** The folder that the file lies in; missing for memory and for parts of a file. */
  readonly folder?: FileFolder;
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

/** A folder whose files are opened by their path in it, parts joined with "/": of the disk, of a page's files, or of a server. */
export interface FileFolder {
  /** For errors. */
  readonly path: string;
  has(name: string): boolean;
  /** Throws a `WeightsError` if there is no such file. */
  open(name: string): ByteSource;
  /** Whether a file of the disk is a link to another folder. */
  leadsOut?(name: string): boolean;
  /** Tells which files a reader is going to open, so that they are fetched at once. Missing where nothing is fetched. */
  expect?(names: readonly string[]): void;
}

/** A source over bytes in memory. `read` copies, so typed arrays can use the returned buffer. */
export function memorySource(bytes: Uint8Array, file: string, folder?: FileFolder): ByteSource {
  return {
    file,
    ...(folder !== undefined && { folder }),
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

/** Throws a `WeightsError` for bytes that a file of that size does not have, or that `into` has no room for. */
export function checkRange(file: string, size: number, offset: number, length: number, into?: Uint8Array): void {
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
