import { createHash } from "node:crypto";
import { open, readdir, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { withLock } from "@convkit/files";
import { reasonOf } from "../data-error.ts";
import { cacheError, dataCache, makeCacheFolder } from "../storage/cache.ts";
import type { Store, WantedImage } from "./image-cache.ts";

/** How a cache of decoded images is used; the numbers grow while batches are read. */
export interface DecodedCache {
  /** The file of pixels, and bytes of all files of decoded images in its folder. */
  readonly file: string;
  readonly folderBytes: number;
  /** The most bytes of the folder. */
  readonly limit: number;
  /** Images that were taken from the cache, and images that were added to it. */
  readonly taken: number;
  readonly added: number;
  /** Why no more images are added; undefined while they are. */
  readonly stopped: string | undefined;
}

/** Bytes of an entry: the first ones of the SHA-256 of the encoded image, and the CRC-32 of its pixels. */
const [contentBytes, entryBytes] = [28, 32];

/**
 * Keeps decoded images on disk, for this process and others. A file of pixels has a place for each image; a file of
 * entries tells whose pixels are in each place, by the content of the encoded image. An entry is written after its
 * pixels and has their checksum, so that what a killed process left is never taken. Writers take a lock.
 *
 * `decoding` holds everything besides the encoded image that the pixels depend on.
 */
export async function decodedStore({
  decoding,
  bytes,
  cache = dataCache(),
  limit,
}: {
  readonly decoding: unknown;
  readonly bytes: number;
  readonly cache?: string | undefined;
  readonly limit: number;
}): Promise<Store & { readonly use: DecodedCache }> {
  const folder = await makeCacheFolder(join(cache, "images"));
  const name = createHash("sha256").update(JSON.stringify(decoding)).digest("hex").slice(0, 32);
  const [pixels, entries, lock] = ["pixels", "entries", "lock"].map((ending) => join(folder, `${name}.${ending}`)) as [
    string,
    string,
    string,
  ];
  const use: { -readonly [Key in keyof DecodedCache]: DecodedCache[Key] } = {
    file: pixels,
    folderBytes: await bytesIn(folder),
    limit,
    taken: 0,
    added: 0,
    stopped: undefined,
  };
  /** The place of each known content, and the checksum of its pixels. */
  const places = new Map<string, { readonly place: number; readonly sum: number }>();
  let known = 0;
  /** The content of each image of the data set; read once. */
  const contentOf = new Map<number, string>();

  /** Reads entries that this process or another one added. */
  const refresh = async (): Promise<void> => {
    const from = known;
    const handle = await opened(entries, "r");
    if (handle === undefined) return;
    try {
      const { size } = await handle.stat();
      const count = Math.floor(size / entryBytes) - from;
      if (count <= 0) return;
      const read = Buffer.alloc(count * entryBytes);
      const { bytesRead } = await handle.read(read, 0, read.length, from * entryBytes);
      // Another call of this process has read them meanwhile.
      if (known !== from) return;
      for (let at = 0; at + entryBytes <= bytesRead; at += entryBytes) {
        const content = read.toString("latin1", at, at + contentBytes);
        places.set(content, { place: known, sum: read.readUInt32LE(at + contentBytes) });
        known += 1;
      }
    } finally {
      await handle.close();
    }
  };
  await refresh();

  const takeFrom = async (handle: FileHandle, { index, target }: WantedImage): Promise<boolean> => {
    const content = contentOf.get(index) ?? "";
    const entry = places.get(content);
    if (entry === undefined) return false;
    const { bytesRead } = await handle.read(target, 0, bytes, entry.place * bytes);
    if (bytesRead === bytes && crc32(target) === entry.sum) return true;
    // It is decoded and added again; the last entry counts.
    if (places.get(content) === entry) places.delete(content);
    return false;
  };

  /** Adds images that the cache has not. */
  const add = async (read: readonly WantedImage[]): Promise<void> => {
    if (use.stopped !== undefined) return;
    try {
      await withLock(lock, async () => {
        await refresh();
        const missing = new Map<string, Uint8Array>();
        for (const { index, target } of read) {
          const content = contentOf.get(index);
          if (content !== undefined && !places.has(content)) missing.set(content, target);
        }
        const room = Math.floor((limit - use.folderBytes) / (bytes + entryBytes));
        if (room < missing.size)
          use.stopped = `it has reached its limit of ${limit} bytes; raise the limit, or delete files of ${folder}`;
        const added = [...missing].slice(0, Math.max(0, room));
        if (added.length === 0) return;
        await writeAt(
          pixels,
          known * bytes,
          added.map(([, target]) => target),
        );
        await writeAt(
          entries,
          known * entryBytes,
          added.map(([content, target]) => entryOf(content, target)),
        );
        use.folderBytes += added.length * (bytes + entryBytes);
        use.added += added.length;
        await refresh();
      });
    } catch (error) {
      // The images were decoded; only later epochs are slower.
      use.stopped = `it cannot be written: ${reasonOf(cacheError(error))}`;
    }
  };
  let writing: Promise<void> = Promise.resolve();

  return {
    use,
    async take(wanted, encoded) {
      const unread = wanted.filter(({ index }) => !contentOf.has(index)).map(({ index }) => index);
      const contents = unread.length === 0 ? [] : await encoded(unread);
      for (const [place, content] of contents.entries())
        if (content !== undefined) contentOf.set(unread[place]!, digest(content));
      if (wanted.some(({ index }) => !places.has(contentOf.get(index) ?? ""))) await refresh();
      const handle = await opened(pixels, "r");
      if (handle === undefined) return wanted.map(() => false);
      try {
        const taken = await Promise.all(wanted.map((image) => takeFrom(handle, image)));
        use.taken += taken.filter(Boolean).length;
        return taken;
      } finally {
        await handle.close();
      }
    },
    async keep(read) {
      // Batches that are prefetched take the lock one after the other.
      const turn = writing.then(() => add(read));
      writing = turn;
      await turn;
    },
  };
}

function entryOf(content: string, target: Uint8Array): Buffer {
  const entry = Buffer.alloc(entryBytes);
  entry.write(content, "latin1");
  entry.writeUInt32LE(crc32(target), contentBytes);
  return entry;
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("binary").slice(0, contentBytes);
}

async function opened(file: string, flags: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, flags);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Writes at a place in a file that others may be reading. */
async function writeAt(file: string, start: number, parts: readonly Uint8Array[]): Promise<void> {
  const handle = (await opened(file, "r+")) ?? (await open(file, "wx+"));
  try {
    const { bytesWritten } = await handle.writev([...parts], start);
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    if (bytesWritten < length) throw new Error(`only ${bytesWritten} of ${length} bytes could be written`);
  } finally {
    await handle.close();
  }
}

/** Bytes of all caches of decoded images. */
async function bytesIn(folder: string): Promise<number> {
  const names = (await readdir(folder)).filter((name) => /\.(?:pixels|entries|marks)$/.test(name));
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
