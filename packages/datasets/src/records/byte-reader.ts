import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { DataError, reasonOf } from "../data-error.ts";

/** Reads a file from its start to its end. */
export interface ByteReader {
  /** Bytes read and skipped so far. */
  readonly position: number;
  /** The next bytes; fewer at the end of the file. */
  read(length: number): Promise<Buffer>;
  /** Moves on, and resolves to false if the file ends before. */
  skip(length: number): Promise<boolean>;
  close(): Promise<void>;
}

/** A file opened for reading, and whether it is gzipped. */
export interface OpenedFile {
  readonly reader: ByteReader;
  readonly isGzip: boolean;
}

/** Opens a file. Its first bytes tell whether it is gzipped, not its name. Throws a DataError if it is empty or unreadable. */
export async function openReader(file: string): Promise<OpenedFile> {
  const start = Buffer.alloc(2);
  try {
    const handle = await open(file);
    try {
      const { bytesRead } = await handle.read(start, 0, 2, 0);
      if (bytesRead === 0) throw new DataError(`${file} is empty`);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
  const isGzip = start[0] === 0x1f && start[1] === 0x8b;
  return { reader: isGzip ? gzipReader(file) : await plainReader(file), isGzip };
}

/** Reads ahead so many bytes: a header and a small entry come with one call of the system. */
const ahead = 16 * 1024;

async function plainReader(file: string): Promise<ByteReader> {
  const handle = await open(file);
  const { size } = await handle.stat();
  let position = 0;
  let buffer: Buffer = Buffer.alloc(0);
  let bufferStart = 0;
  const fill = async (from: number, length: number): Promise<Buffer> => {
    const into = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - from)));
    let filled = 0;
    while (filled < into.length) {
      const { bytesRead } = await handle.read(into, filled, into.length - filled, from + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return into.subarray(0, filled);
  };
  return {
    get position() {
      return position;
    },
    async read(length) {
      const offset = position - bufferStart;
      if (offset < 0 || offset + length > buffer.length) {
        buffer = await fill(position, Math.max(length, ahead));
        bufferStart = position;
      }
      const from = position - bufferStart;
      const bytes = buffer.subarray(from, from + length);
      position += bytes.length;
      return bytes;
    },
    async skip(length) {
      position += length;
      return position <= size;
    },
    close: () => handle.close(),
  };
}

function gzipReader(file: string): ByteReader {
  const gunzip = createGunzip();
  pipeline(createReadStream(file), gunzip, () => {});
  const chunks = gunzip[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let position = 0;
  let rest: Buffer = Buffer.alloc(0);
  /** Hands over the next bytes in pieces; returns how many there were. */
  const take = async (length: number, use: (piece: Buffer) => void): Promise<number> => {
    let taken = 0;
    while (taken < length) {
      if (rest.length === 0) {
        const next = await chunks.next().catch((error: unknown) => {
          throw new DataError(`${file}: expected a whole gzip file, but unpacking failed (${reasonOf(error)})`);
        });
        if (next.done === true) break;
        rest = next.value;
      }
      const piece = rest.subarray(0, length - taken);
      rest = rest.subarray(piece.length);
      taken += piece.length;
      use(piece);
    }
    position += taken;
    return taken;
  };
  return {
    get position() {
      return position;
    },
    async read(length) {
      const pieces: Buffer[] = [];
      await take(length, (piece) => pieces.push(piece));
      return Buffer.concat(pieces);
    },
    skip: async (length) => (await take(length, () => {})) === length,
    async close() {
      gunzip.destroy();
    },
  };
}
