import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { cacheFolder, FileError, makeFolder, writeFileAtomic } from "@convkit/files";
import { DataError } from "../data-error.ts";

/**
 * The folder for data that is kept between runs: `data` in `CONVKIT_CACHE`, else `convkit/data` in the user's cache.
 */
export function dataCache(): string {
  return cacheFolder("data");
}

/** Makes a folder in the cache. Throws a `DataError` if the cache is not writable. */
export async function makeCacheFolder(folder: string): Promise<string> {
  try {
    await makeFolder(folder);
    return folder;
  } catch (error) {
    throw cacheError(error);
  }
}

/** Converts an error of the disk while writing the cache to a `DataError`; returns any other error unchanged. */
export function cacheError(error: unknown): unknown {
  if (!(error instanceof FileError)) return error;
  return new DataError(`${error.message.replace(/\.$/, "")}; or set CONVKIT_CACHE to a folder that can be written`, {
    cause: error,
  });
}

interface Pin {
  sha256: string;
  cache?: string;
  /** The bytes to hash, if they are not the file's own (a gzipped file's content). */
  bytes: Uint8Array;
  /** Whether a file that was right before is accepted if its size and date are unchanged. */
  trust?: boolean | undefined;
}

/**
 * Throws a `DataError` unless `file` has the pinned hash. The cache stores the size and date of a verified file, so
 * that the next start need not hash it.
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
  // If the cache is not writable, the next start only takes a second longer.
  await writeFileAtomic(record, seen).catch(() => {});
}
