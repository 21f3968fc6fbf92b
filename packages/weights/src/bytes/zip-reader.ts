import { crc32 } from "@convkit/files/system";
import { inflateRaw } from "@convkit/weights/platform";
import { unpackBzip2 } from "./bzip2.ts";
import { unpackLzma } from "./lzma.ts";
import { memorySource, windowOf } from "./byte-source.ts";
import type { ByteSource } from "./byte-source.ts";
import { crc32Checksum, verified } from "./verified-source.ts";
import { dataStart, directoryEntries, findDirectory } from "./zip-directory.ts";
import type { DirectoryEntry } from "./zip-directory.ts";
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
  8: (packed, size) => inflateRaw(packed, Math.max(1, size)),
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
export function readZip(source: ByteSource): Map<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>();
  let place = "directory of the archive";
  const fail = (problem: string): never => {
    throw new WeightsError(source.file, place, problem);
  };
  try {
    const directory = findDirectory(source);
    const { count } = directory;
    if (count > entryLimit) fail(`claims ${count} entries, at most ${entryLimit} are read`);
    let unpacked = 0;
    let read = 0;
    place = `entry 1 of ${count} of the archive`;
    for (const entry of directoryEntries(source, directory)) {
      const { name, method, size } = entry;
      if (!name.endsWith("/")) {
        if (entries.has(name)) fail(`"${name}" is there twice`);
        const hint = "unpack the archive and pack it again with zip's defaults";
        if (entry.isEncrypted) fail(`"${name}" is encrypted: ${hint}`);
        if (method !== 0 && unpackers[method] === undefined)
          fail(
            `"${name}" is packed by ${methods[method] ?? "a method"} (${method}); stored, deflate, bzip2 and LZMA are known: ${hint}`,
          );
        if (method !== 0) unpacked += size;
        if (unpacked > Math.max(growthFloor, growthLimit * source.size))
          fail(`"${name}" would let an archive of ${source.size} bytes unpack to ${unpacked} bytes`);
        const start = dataStart(source, entry);
        entries.set(name, { name, size, open: () => openEntry(source, entry, start) });
      }
      read += 1;
      place = `entry ${read + 1} of ${count} of the archive`;
    }
    return entries;
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    throw new WeightsError(source.file, place, (error as Error).message, { cause: error });
  }
}

function openEntry(source: ByteSource, entry: DirectoryEntry, start: number): ByteSource {
  const { name, packedSize, size } = entry;
  if (entry.method === 0) {
    const stored = windowOf(source, start, packedSize, name);
    // PyTorch writes 0 if it was told to compute no checksums.
    return entry.crc32 === 0 ? stored : verified(stored, crc32Checksum(entry.crc32));
  }
  const file = `${source.file}/${name}`;
  const place = `byte ${start} of the archive`;
  let plain: Uint8Array;
  try {
    plain = unpackers[entry.method]!(source.read(start, packedSize), size);
  } catch (error) {
    throw new WeightsError(file, place, `does not unpack to ${size} bytes: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (plain.byteLength !== size || crc32(plain) !== entry.crc32)
    throw new WeightsError(file, place, "size or checksum differs from the archive's directory");
  return memorySource(plain, file);
}
