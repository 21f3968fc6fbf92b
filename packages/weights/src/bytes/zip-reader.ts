import { crc32, inflateRawSync } from "node:zlib";
import { RandomAccessReader, fromRandomAccessReaderPromise } from "yauzl";
import type { Entry } from "yauzl";
import { unpackBzip2 } from "./bzip2.ts";
import { unpackLzma } from "./lzma.ts";
import { memorySource, windowOf } from "./byte-source.ts";
import type { ByteSource } from "./byte-source.ts";
import { crc32Checksum, verified } from "./verified-source.ts";
import { WeightsError } from "../weights-error.ts";

export interface ZipEntry {
  readonly name: string;
  /** Unpacked size in bytes, as the archive states it. */
  readonly size: number;
  /** The entry's bytes: a part of the archive for a stored entry, memory for a compressed entry. */
  open(): ByteSource;
}

/** Limit on the unpacked size of all entries: this many times the archive, or this many bytes, whichever is more. */
const growthLimit = 20;
const growthFloor = 1 << 28;
/** Packers of entries by zip's number of their method. The result has the size that the archive states. */
const unpackers: Readonly<Record<number, (packed: Uint8Array, size: number) => Uint8Array>> = {
  8: (packed, size) => inflateRawSync(packed, { maxOutputLength: Math.max(1, size) }),
  12: unpackBzip2,
  14: unpackLzma,
};
const methods: Readonly<Record<number, string>> = {
  9: "the method Deflate64",
  93: "the method Zstandard",
  95: "the method XZ",
};
const entryLimit = 200_000;

/**
 * The entries of a zip archive by name. Throws for names that climb out of the archive, entries outside the file,
 * encrypted entries and compressed entries that unpack to too many bytes.
 */
export async function readZip(source: ByteSource): Promise<Map<string, ZipEntry>> {
  const entries = new Map<string, ZipEntry>();
  let place = "directory of the archive";
  const fail = (problem: string): never => {
    throw new WeightsError(source.file, place, problem);
  };
  try {
    const archive = await fromRandomAccessReaderPromise(new SourceReader(source), source.size, {
      lazyEntries: true,
      strictFileNames: true,
    });
    const count = archive.entryCount;
    if (count > entryLimit) fail(`claims ${count} entries, at most ${entryLimit} are read`);
    let unpacked = 0;
    place = `entry 1 of ${count} of the archive`;
    for await (const entry of archive.eachEntry()) {
      const name = entry.fileName;
      if (!name.endsWith("/")) {
        if (entries.has(name)) fail(`"${name}" is there twice`);
        const { compressionMethod: method } = entry;
        const hint = "unpack the archive and pack it again with zip's defaults";
        if (entry.isEncrypted()) fail(`"${name}" is encrypted: ${hint}`);
        if (method !== 0 && unpackers[method] === undefined)
          fail(
            `"${name}" is packed by ${methods[method] ?? "a method"} (${method}); stored, deflate, bzip2 and LZMA are known: ${hint}`,
          );
        if (entry.compressionMethod !== 0) unpacked += entry.uncompressedSize;
        if (unpacked > Math.max(growthFloor, growthLimit * source.size))
          fail(`"${name}" would let an archive of ${source.size} bytes unpack to ${unpacked} bytes`);
        const { fileDataStart } = await archive.readLocalFileHeaderPromise(entry, { minimal: true });
        const open = (): ByteSource => openEntry(source, entry, fileDataStart);
        entries.set(name, { name, size: entry.uncompressedSize, open });
      }
      place = `entry ${archive.entriesRead + 1} of ${count} of the archive`;
    }
    return entries;
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    throw new WeightsError(source.file, place, (error as Error).message, { cause: error });
  }
}

/** Lets yauzl read from a source. */
class SourceReader extends RandomAccessReader {
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    super();
    this.#source = source;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    let failure: Error | null = null;
    try {
      buffer.set(this.#source.read(position, length), offset);
    } catch (error) {
      failure = error as Error;
    }
    process.nextTick(callback, failure, length);
  }
}

function openEntry(source: ByteSource, entry: Entry, start: number): ByteSource {
  const { fileName, compressedSize, uncompressedSize } = entry;
  if (entry.compressionMethod === 0) {
    const stored = windowOf(source, start, compressedSize, fileName);
    // PyTorch writes 0 if it was told to compute no checksums.
    return entry.crc32 === 0 ? stored : verified(stored, crc32Checksum(entry.crc32));
  }
  const file = `${source.file}/${fileName}`;
  const place = `byte ${start} of the archive`;
  let plain: Uint8Array;
  try {
    plain = unpackers[entry.compressionMethod]!(source.read(start, compressedSize), uncompressedSize);
  } catch (error) {
    const problem = `does not unpack to ${uncompressedSize} bytes: ${(error as Error).message}`;
    throw new WeightsError(file, place, problem, { cause: error });
  }
  if (plain.byteLength !== uncompressedSize || crc32(plain) !== entry.crc32)
    throw new WeightsError(file, place, "size or checksum differs from the archive's directory");
  return memorySource(plain, file);
}
