import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { checkOptions, OptionError, type OptionNames } from "@convkit/errors";
import { cacheFolder, download, DownloadError, type DownloadProgress, FileError, hashDifference } from "@convkit/files";
import { findImagenetWeights, type PublishedWeights } from "./imagenet.ts";
import { WeightsError } from "../weights-error.ts";

export interface DownloadOptions {
  /**
   * The folder that keeps files between runs; by default `weights` in `CONVKIT_CACHE`, else `convkit/weights` in the
   * user's cache.
   */
  readonly cache?: string | undefined;
  /** Ends the download with the signal's reason; none by default. */
  readonly signal?: AbortSignal | undefined;
  /** Receives the bytes so far and in total, after each piece of a download; none by default. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

const optionNames: OptionNames<DownloadOptions> = { cache: true, signal: true, onProgress: true };

/**
 * Returns the path of published weights. Uses the file in the cache, where a user may have put it by hand, or
 * downloads it. Continues an interrupted download and checks known hashes. Throws a `WeightsError` that says which
 * file to put where.
 */
export async function fetchWeights(
  { url, hash }: Pick<PublishedWeights, "url" | "hash">,
  options: DownloadOptions = {},
): Promise<string> {
  checkOptions("fetchWeights", options, optionNames);
  const { cache = cacheFolder("weights"), signal, onProgress } = options;
  const file = join(cache, basename(new URL(url).pathname));
  if (existsSync(file)) {
    const difference = hash && (await hashDifference(file, hash, signal));
    if (difference === undefined) return file;
    throw new WeightsError(file, "", `expected the file of ${url}: ${difference}; remove it and fetch it again`);
  }
  try {
    await download(url, file, { hash, signal, onProgress });
    return file;
  } catch (error) {
    if (error instanceof DownloadError)
      throw new WeightsError(file, "", error.message.replace(/\.$/, ""), { cause: error });
    if (error instanceof FileError)
      throw new WeightsError(file, "", error.problem.replace(/\.$/, ""), { cause: error });
    throw error;
  }
}

/** The file of a network's published ImageNet weights, downloaded once, and its description. Throws an `OptionError` if there is none. */
export async function fetchImagenetWeights(
  model: string,
  options: DownloadOptions & {
    /**
     * Weights with the classifier, or up to the last feature map; true by default. Where only those with the classifier
     * are published, false gives these: load them with `withTop`.
     */
    readonly top?: boolean | undefined;
  } = {},
): Promise<{ readonly file: string; readonly published: PublishedWeights }> {
  const { top = true, ...download } = options;
  const published = findImagenetWeights(model, { top }) ?? findImagenetWeights(model);
  if (published === undefined) {
    throw new OptionError(
      `No ImageNet weights are published for ${model}; expected a file of weights instead of "imagenet".`,
    );
  }
  return { file: await fetchWeights(published, download), published };
}
