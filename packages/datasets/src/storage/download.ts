import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { makeCacheFolder } from "./cache.ts";
import { DataError, reasonOf } from "../data-error.ts";
import { withLock } from "./lock.ts";

export interface DownloadOptions {
  /** The sha256 that the file must have. */
  sha256?: string;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

export interface DownloadProgress {
  file: string;
  /** Bytes that are here, of `total` (unknown where the server does not say). */
  bytes: number;
  total?: number;
}

/**
 * Fetches `url` into `file` unless it is there already; what an interrupted call got is taken up again. The file appears
 * only when it is whole (and has its sha256). Throws a `DataError` that says where to put the file by hand.
 */
export async function download(url: string, file: string, options: DownloadOptions = {}): Promise<void> {
  await makeCacheFolder(dirname(file));
  await withLock(
    `${file}.lock`,
    async () => {
      if (await exists(file)) return;
      try {
        await fetchPart(url, file, options);
      } catch (error) {
        if (options.signal?.aborted === true) throw error;
        const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
        throw new DataError(
          `${url} cannot be fetched (${reasonOf(cause)}); get the file by other means and put it at ${file}`,
        );
      }
      await checkPart(url, file, options.sha256);
      await rm(`${file}.part.etag`, { force: true });
      await rename(`${file}.part`, file);
    },
    options,
  );
}

async function fetchPart(url: string, file: string, { signal, onProgress }: DownloadOptions): Promise<void> {
  const part = `${file}.part`;
  const have = (await stat(part).catch(() => undefined))?.size ?? 0;
  const etag = await readFile(`${part}.etag`, "utf8").catch(() => "");
  const resumable = have > 0 && etag !== "";
  const response = await fetch(url, {
    ...(signal === undefined ? {} : { signal }),
    headers: resumable ? { range: `bytes=${have}-`, "if-range": etag } : {},
  });
  if (response.status === 416 && resumable) {
    await rm(part, { force: true });
    return fetchPart(url, file, { signal, onProgress });
  }
  if (!response.ok || response.body === null)
    throw new Error(`status ${response.status} ${response.statusText}`.trim());
  const resumed = response.status === 206;
  const length = Number(response.headers.get("content-length") ?? Number.NaN);
  let bytes = resumed ? have : 0;
  const total = bytes + length;
  // Only a strong tag promises the same bytes; without one the next call starts anew.
  const tag = response.headers.get("etag") ?? "";
  await writeFile(`${part}.etag`, tag.startsWith("W/") ? "" : tag);
  const count = new Transform({
    transform(chunk: Uint8Array, _, done) {
      bytes += chunk.length;
      onProgress?.({ file: basename(file), bytes, ...(Number.isFinite(total) ? { total } : {}) });
      done(undefined, chunk);
    },
  });
  await pipeline(
    Readable.fromWeb(response.body as never),
    count,
    createWriteStream(part, { flags: resumed ? "a" : "w" }),
  );
  if (Number.isFinite(total) && bytes !== total) throw new Error(`it ended after ${bytes} of ${total} bytes`);
}

async function checkPart(url: string, file: string, sha256: string | undefined): Promise<void> {
  if (sha256 === undefined) return;
  const hash = createHash("sha256");
  await pipeline(createReadStream(`${file}.part`), hash);
  const found = hash.digest("hex");
  if (found === sha256) return;
  await rm(`${file}.part`, { force: true });
  throw new DataError(`${url}: expected a file with sha256 ${sha256}, found ${found}; nothing was kept`);
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined))?.isFile() === true;
}
