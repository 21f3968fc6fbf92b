import { checkOptions, type OptionNames } from "@convkit/errors";
import { download as fetchFile, DownloadError, type DownloadProgress } from "@convkit/files";
import { DataError } from "../data-error.ts";
import { cacheError } from "./cache.ts";

export type { DownloadProgress } from "@convkit/files";

export interface DownloadOptions {
  /** The required sha256 of the file, in hexadecimal; by default any content is taken. */
  readonly sha256?: string | undefined;
  /** Ends the download with the signal's reason; none by default. */
  readonly signal?: AbortSignal | undefined;
  /** Receives the bytes so far and in total, after each piece; none by default. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

const optionNames: OptionNames<DownloadOptions> = { sha256: true, signal: true, onProgress: true };

/**
 * Downloads `url` to `file` unless the file exists; continues an interrupted download. The file appears only when it is
 * complete and has its sha256. Throws a `DataError` that says where to put the file by hand.
 */
export async function download(url: string, file: string, options: DownloadOptions = {}): Promise<void> {
  checkOptions("download", options, optionNames, (message) => new DataError(message));
  const { sha256, signal, onProgress } = options;
  try {
    await fetchFile(url, file, { hash: sha256 === undefined ? undefined : { sha256 }, signal, onProgress });
  } catch (error) {
    throw error instanceof DownloadError
      ? new DataError(error.message.replace(/\.$/, ""), { cause: error })
      : cacheError(error);
  }
}
