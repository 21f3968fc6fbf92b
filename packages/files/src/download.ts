import { open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { checkOptions, type OptionNames } from "@convkit/errors";
import { DownloadError } from "./download-error.ts";
import { errnoOf, FileError, messageOf, unwritable } from "./file-error.ts";
import { type FileHash, hashDifference } from "./file-hash.ts";
import { withLock } from "./lock.ts";

export interface DownloadProgress {
  /** The file's name without its folder. */
  readonly file: string;
  /** Bytes that are here. */
  readonly bytes: number;
  /** Bytes of the whole file; undefined where the server does not say. */
  readonly total?: number | undefined;
}

export interface DownloadOptions {
  /** What is known of the content; by default any content is taken. */
  readonly hash?: FileHash | undefined;
  /** Ends the download with the signal's reason; none by default. */
  readonly signal?: AbortSignal | undefined;
  /** Receives the bytes so far and in total, after each piece; none by default. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Fetches, for example through a proxy; Node's own `fetch` by default. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

const optionNames: OptionNames<DownloadOptions> = { hash: true, signal: true, onProgress: true, fetch: true };

/**
 * Fetches `url` into `file`, unless the file is there. The file appears when it is whole and has its hash; of several processes that ask
 * at once one fetches. An interrupted download is continued by the next call where the server can (Range with If-Range, and a strong
 * ETag). Throws a DownloadError that says where to put the file by hand, a FileError where the disk refuses, or the signal's reason.
 */
export async function download(url: string, file: string, options: DownloadOptions = {}): Promise<void> {
  checkOptions("download", options, optionNames);
  const { signal } = options;
  signal?.throwIfAborted();
  if (await isFile(file)) return;
  const work = async (signal: AbortSignal) => {
    if (await isFile(file)) return;
    const part = `${file}.part`;
    await fetchPart({ url, file, part, options: { ...options, signal } });
    await checkPart(url, file, part, options.hash);
    await rename(part, file);
    await rm(sourceFile(part), { force: true });
  };
  try {
    await withLock(`${file}.lock`, work, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    // Whatever stands beside the file, the file is what was asked for.
    throw error instanceof FileError || errnoOf(error) !== undefined ? unwritable(file, error) : error;
  }
}

interface Fetch {
  readonly url: string;
  readonly file: string;
  readonly part: string;
  readonly options: DownloadOptions;
}

/** Brings `part` to its end, from where an earlier call left it. */
async function fetchPart({ url, file, part, options }: Fetch): Promise<void> {
  const { signal, onProgress } = options;
  const have = await resumableBytes(part, url);
  const response = await request(url, file, have, options);
  const start = response.status === 206 ? have.bytes : 0;
  if (start === 0) await beginPart(part, url, response);
  const length = response.headers.get("content-length");
  // The length counts compressed bytes, of which `fetch` gives us the content.
  const isPlain = (response.headers.get("content-encoding") ?? "identity") === "identity";
  const total = length === null || !isPlain ? undefined : start + Number(length);
  let bytes = start;
  try {
    const output = await open(part, "a");
    try {
      // Each piece is on its way to the disk before the next is taken: what was told stays, however the download ends.
      for await (const piece of response.body ?? []) {
        await output.appendFile(piece);
        bytes += piece.length;
        onProgress?.({ file: basename(file), bytes, total });
        signal?.throwIfAborted();
      }
      await output.sync();
    } finally {
      await output.close();
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw isOfDisk(error) ? unwritable(file, error) : unfetched(url, file, error);
  }
  if (total !== undefined && bytes !== total)
    throw unfetched(url, file, new Error(`the answer ended after ${bytes} of ${total} bytes`));
}

interface Resumable {
  readonly bytes: number;
  readonly etag: string;
}

async function request(
  url: string,
  file: string,
  { bytes, etag }: Resumable,
  options: DownloadOptions,
): Promise<Response> {
  const { signal, fetch = globalThis.fetch } = options;
  // The file is wanted as it is: a compressed answer has another length, and other ranges.
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (bytes > 0) Object.assign(headers, { range: `bytes=${bytes}-`, "if-range": etag });
  let response: Response;
  try {
    response = await fetch(url, { headers, ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    signal?.throwIfAborted();
    throw unfetched(url, file, error);
  }
  if (response.status === 200 || isContinuation(response, bytes)) return response;
  await response.body?.cancel();
  // The range does not fit what the server has: from the beginning.
  if (bytes > 0 && (response.status === 416 || response.status === 206))
    return request(url, file, { bytes: 0, etag: "" }, options);
  throw unfetched(url, file, new Error(`status ${response.status} ${response.statusText}`.trim()));
}

/** True for an answer that begins where it was asked to. */
function isContinuation(response: Response, bytes: number): boolean {
  const begins = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? `bytes ${bytes}-`)?.[1];
  return response.status === 206 && bytes > 0 && Number(begins) === bytes;
}

/** Which URL and version `part` is of. */
const sourceFile = (part: string): string => `${part}.source`;

/** Empties `part` first: what is in it must never be taken for the version that is written beside it. */
async function beginPart(part: string, url: string, response: Response): Promise<void> {
  const etag = response.headers.get("etag") ?? "";
  await writeFile(part, "");
  // Only a strong tag promises the same bytes.
  await writeFile(sourceFile(part), JSON.stringify({ url, etag: etag.startsWith("W/") ? "" : etag }));
}

async function resumableBytes(part: string, url: string): Promise<Resumable> {
  try {
    const source = JSON.parse(await readFile(sourceFile(part), "utf8")) as { url: unknown; etag: unknown };
    const { size } = await stat(part);
    if (source.url === url && typeof source.etag === "string" && source.etag !== "")
      return { bytes: size, etag: source.etag };
  } catch {
    // Nothing to continue.
  }
  return { bytes: 0, etag: "" };
}

async function checkPart(url: string, file: string, part: string, hash: FileHash | undefined): Promise<void> {
  const difference = hash && (await hashDifference(part, hash));
  if (difference === undefined) return;
  await rm(part, { force: true });
  await rm(sourceFile(part), { force: true });
  throw new DownloadError(url, file, `is not the file that was expected: ${difference}; nothing was kept.`);
}

function unfetched(url: string, file: string, error: unknown): DownloadError {
  const reason = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return new DownloadError(
    url,
    file,
    `cannot be fetched (${messageOf(reason) || errnoOf(reason)}); get the file by other means and put it at ${file}.`,
    { cause: error },
  );
}

/** True for errors of the disk; those of the network have other names. */
function isOfDisk(error: unknown): boolean {
  const { syscall } = error as NodeJS.ErrnoException;
  return errnoOf(error) !== undefined && ["open", "write", "fsync", "close"].includes(syscall ?? "");
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
