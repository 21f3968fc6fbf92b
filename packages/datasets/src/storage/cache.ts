import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { DataError, reasonOf } from "../data-error.ts";

/** The folder data is kept in between runs: `convkit/data` in the user's cache (`XDG_CACHE_HOME`, else `~/.cache`). */
export function dataCache(): string {
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "convkit", "data");
}

/** Makes a folder of the cache, or says that the cache cannot be written. */
export async function makeCacheFolder(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    return folder;
  } catch (error) {
    throw new DataError(
      `The cache folder ${folder} cannot be written (${reasonOf(error)}); set XDG_CACHE_HOME to a folder that can`,
    );
  }
}

/** Writes a file so that it is there whole or not at all. */
async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const part = `${file}.${process.pid}.part`;
  try {
    await writeFile(part, content);
    await rename(part, file);
  } finally {
    await rm(part, { force: true });
  }
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
  await writeWhole(record, seen).catch(() => {});
}
