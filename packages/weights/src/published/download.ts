import { createHash } from "node:crypto";
import {
  closeSync,
  createReadStream,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { KnownHash, PublishedWeights } from "./imagenet.ts";
import { WeightsError } from "../weights-error.ts";

export interface DownloadOptions {
  /** Where files are kept between runs: `convkit/weights` in the user's cache (`XDG_CACHE_HOME`, else `~/.cache`) by default. */
  cache?: string;
  signal?: AbortSignal;
  onProgress?: (progress: { file: string; bytes: number; total: number | undefined }) => void;
}

/**
 * The path of published weights: from the cache, where a user may have put the file by hand, or fetched. A download that was cut off
 * goes on where it stopped; what is known of the file's hash is checked. Throws `WeightsError` that says which file to put where.
 */
export async function fetchWeights(
  { url, hash }: Pick<PublishedWeights, "url" | "hash">,
  options: DownloadOptions = {},
): Promise<string> {
  const { cache = defaultCache() } = options;
  const file = join(cache, basename(new URL(url).pathname));
  if (!existsSync(file)) {
    try {
      mkdirSync(cache, { recursive: true });
      await fetchPart(url, `${file}.part`, options);
    } catch (error) {
      if (options.signal?.aborted === true) throw error;
      throw new WeightsError(
        file,
        "",
        `${url} cannot be fetched (${reasonOf(error)}); get it by other means and put it here`,
        { cause: error },
      );
    }
    await check(`${file}.part`, url, hash);
    rmSync(`${file}.part.etag`, { force: true });
    renameSync(`${file}.part`, file);
  } else await check(file, url, hash);
  return file;
}

function defaultCache(): string {
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "convkit", "weights");
}

async function fetchPart(url: string, part: string, { signal, onProgress }: DownloadOptions): Promise<void> {
  const have = existsSync(part) ? statSync(part).size : 0;
  const etag = existsSync(`${part}.etag`) ? readFileSync(`${part}.etag`, "utf8") : "";
  // Only a strong tag promises that the server still has the same bytes.
  const resumes = have > 0 && etag !== "";
  const response = await fetch(url, {
    headers: resumes ? { range: `bytes=${have}-`, "if-range": etag } : {},
    ...(signal === undefined ? {} : { signal }),
  });
  if (response.status === 416 && resumes) {
    rmSync(part);
    return fetchPart(url, part, {
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
  }
  if (!response.ok || response.body === null)
    throw new Error(`status ${response.status} ${response.statusText}`.trim());
  const continues = response.status === 206;
  const length = response.headers.get("content-length");
  const start = continues ? have : 0;
  const total = length === null ? undefined : start + Number(length);
  const tag = response.headers.get("etag") ?? "";
  writeFileSync(`${part}.etag`, tag.startsWith("W/") ? "" : tag);
  let bytes = start;
  // Written as it comes: what is here when the line breaks is the next call's start.
  const descriptor = openSync(part, continues ? "a" : "w");
  try {
    for await (const chunk of response.body) {
      writeSync(descriptor, chunk);
      bytes += chunk.byteLength;
      onProgress?.({ file: basename(part, ".part"), bytes, total });
    }
  } finally {
    closeSync(descriptor);
  }
  if (total !== undefined && bytes !== total) throw new Error(`it ended after ${bytes} of ${total} bytes`);
}

async function check(file: string, url: string, hash: KnownHash): Promise<void> {
  if (hash === undefined) return;
  const kind = "md5" in hash ? "md5" : "sha256";
  const [expected] = Object.values(hash) as [string];
  const digest = createHash(kind);
  await pipeline(createReadStream(file), digest);
  const came = digest.digest("hex");
  if (came.startsWith(expected)) return;
  if (file.endsWith(".part")) rmSync(file);
  throw new WeightsError(
    file,
    "",
    `expected the file of ${url} with a ${kind} that ${came.length === expected.length ? "is" : "begins"} ${expected}, came ${came}: remove it and fetch it again`,
  );
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
