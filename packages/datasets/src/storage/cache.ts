import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { cacheFolder, FileError, makeFolder, writeFileAtomic } from "@convkit/files";
import { DataError } from "../data-error.ts";

/** The folder in which data is kept between runs: `data` in `CONVKIT_CACHE`, else `convkit/data` in the user's cache. */
export function dataCache(): string {
  return cacheFolder("data");
}

/** Makes a folder of the cache. Throws a `DataError` where the cache cannot be written. */
export async function makeCacheFolder(folder: string): Promise<string> {
  try {
    await makeFolder(folder);
    return folder;
  } catch (error) {
    throw cacheError(error);
  }
}

/** The `DataError` for a disk that refuses what the cache should keep; any other error stays. */
export function cacheError(error: unknown): unknown {
  if (!(error instanceof FileError)) return error;
  return new DataError(`${error.message.replace(/\.$/, "")}; or set CONVKIT_CACHE to a folder that can be written`, {
    cause: error,
  });
}

interface Pin {
  sha256: string;
  cache?: string;
  /** What is hashed, where that is not the file's own bytes (a gzipped file's content). */
  bytes: Uint8Array;
  /** Whether a file that was found right before, and has kept its size and date, is taken for right. */
  trust?: boolean | undefined;
}

/**
 * Throws a `DataError` unless `file` is the one that was pinned. A file once found right is remembered by size and date
 * in the cache, so that the next start need not hash it.
 */
export async function verifyPinned(
  file: string,
  { sha256, cache = dataCache(), bytes, trust = true }: Pin,
): Promise<void> {
  const path = resolve(file);
  const { size, mtimeMs } = await stat(path);
  const record = join(cache, "verified", `${createHash("sha256").update(path).digest("hex").slice(0, 32)}.json`);
  const seen = `${JSON.stringify({ path, size, mtimeMs, sha256 })}\n`;
  if (trust && (await readFile(record, "utf8").catch(() => "")) === seen) return;
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== sha256) {
    throw new DataError(
      `${file}: expected content with sha256 ${sha256}, found ${found}; fetch the file again, or load another data set by its folder`,
    );
  }
  // A cache that cannot be written costs the next start a second, no more.
  await writeFileAtomic(record, seen).catch(() => {});
}
