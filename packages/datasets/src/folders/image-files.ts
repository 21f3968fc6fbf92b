import { stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { mapLimited } from "../images/concurrency.ts";
import { DataError } from "../data-error.ts";
import type { IndexedDataset, SkippedImage } from "../dataset/dataset.ts";
import { checkDecodeOptions, checkSignature, decodeImage, decodingFailure, imageSize } from "../images/decode.ts";
import type { DecodeOptions } from "../images/decode.ts";
import { decodeFiles } from "../images/decode-files.ts";
import { keptInMemory, keptOnDisk } from "../images/image-cache.ts";
import type { ImageReader } from "../images/image-cache.ts";
import { datasetFrom } from "../dataset/indexed-dataset.ts";

export interface ImageOptions extends DecodeOptions {
  /** A broken image ends the work; otherwise it is left out and listed in `skipped`. */
  strict?: boolean | undefined;
  /**
   * What is read of each file before the first batch: its head (finds what is no image), all of it (finds truncated ones
   * too), or nothing.
   */
  check?: "head" | "all" | "none" | undefined;
  /** Keeps decoded pixels, so that later epochs (or, on disk, later runs too) decode nothing. */
  keep?: "memory" | "disk" | undefined;
  /** The most bytes that batches made ready ahead may take. */
  memory?: number | undefined;
  /** Where `keep: "disk"` keeps them. */
  cache?: string | undefined;
  /** How many threads decode JPEG files; one a core if not said, 0 leaves these to libuv's threads as all others. */
  workers?: number | undefined;
}

export interface LabelledFiles {
  name: string;
  classes: readonly string[];
  files: readonly string[];
  /** The class of each file. */
  labels: ArrayLike<number>;
}

/**
 * Image files as a data set; they are decoded as they are asked for, in other threads. Throws a `DataError` where no
 * size is given and the files differ in theirs, or (with `strict`) one cannot be decoded.
 */
export async function imageFiles(given: LabelledFiles, options: ImageOptions = {}): Promise<IndexedDataset> {
  const { strict = false, check = "head", keep, memory = 512 * 2 ** 20, cache, channels = 3, orient = true } = options;
  checkDecodeOptions(options);
  checkWorkers(options.workers);
  checkChoice("keep", keep, ["memory", "disk"]);
  checkChoice("check", check, ["head", "all", "none"]);
  const skipped: SkippedImage[] = [];
  const sized = options.size !== undefined;
  const checks =
    check === "none" ? undefined : await checkFiles(given.files, { check, strict, skipped, orient, sized });
  const whole = given.files.flatMap((_, index) => (checks?.[index]?.reason === undefined ? [index] : []));
  const files = whole.map((index) => given.files[index]!);
  const labels = Int32Array.from(whole, (index) => given.labels[index]!);
  if (files.length === 0) {
    const [first] = skipped;
    const why = first === undefined ? "" : `: ${first.file} cannot be decoded: ${first.reason}`;
    throw new DataError(`${given.name} has no image that can be read${why}`);
  }
  const size =
    options.size ??
    (await commonSize(
      given.name,
      files,
      whole.map((index) => checks?.[index]?.size),
      orient,
    ));
  const decoding = { ...options, size, channels, orient };
  const bytes = size[0] * size[1] * channels;

  let read: ImageReader = (wanted) =>
    decodeFiles(
      wanted.map(({ index, target }) => ({ file: files[index]!, target })),
      decoding,
    );
  if (keep === "memory") read = keptInMemory(read);
  if (keep === "disk") {
    const stats = await mapLimited(files, 16, async (file) => {
      const { size: length, mtimeMs } = await stat(file);
      return [file, length, mtimeMs];
    });
    const how = [size, channels, options.resize ?? "bilinear", options.crop ?? false, orient];
    read = await keptOnDisk(read, { key: [stats, how], count: files.length, bytes, cache });
  }

  return datasetFrom({
    name: given.name,
    classes: given.classes,
    shape: [size[0], size[1], channels],
    dtype: "uint8",
    labels,
    skipped,
    prefetch: 2,
    memory,
    describe: (index) => files[index]!,
    async read(indices, images) {
      const failures = await read(
        Array.from(indices, (index, place) => ({
          index,
          target: (images as Uint8Array).subarray(place * bytes, (place + 1) * bytes),
        })),
      );
      const missing: number[] = [];
      for (const [place, failure] of failures.entries()) {
        if (failure === undefined) continue;
        if (strict) throw failure;
        const file = files[indices[place]!]!;
        if (!skipped.some((known) => known.file === file)) skipped.push({ file, reason: decodingFailure(failure) });
        missing.push(place);
      }
      return missing;
    },
  });
}

function checkWorkers(workers: number | undefined): void {
  if (workers === undefined || (Number.isInteger(workers) && workers >= 0)) return;
  throw new DataError(`workers should be a whole number from 0, not ${workers}`);
}

function checkChoice(what: string, value: string | undefined, known: readonly string[]): void {
  if (value === undefined || known.includes(value)) return;
  throw new DataError(`${what} should be one of ${known.join(", ")}, not ${value}`);
}

interface FileCheck {
  /** `[h, w]`, where it was read. */
  size?: readonly [number, number];
  /** Why the file cannot be used. */
  reason?: string;
}

/** Looks at each file; `skipped` then lists those that cannot be used, in the files' order. */
async function checkFiles(
  files: readonly string[],
  {
    check,
    strict,
    skipped,
    orient,
    sized,
  }: { check: "head" | "all"; strict: boolean; skipped: SkippedImage[]; orient: boolean; sized: boolean },
): Promise<FileCheck[]> {
  const look = async (file: string): Promise<FileCheck> => {
    if (check === "all") {
      const [h, w] = (await decodeImage(file, { orient })).shape;
      return { size: [h, w] };
    }
    if (!sized) return { size: await imageSize(file, { orient }) };
    await checkSignature(file);
    return {};
  };
  const checks = await mapLimited(files, Math.max(4, availableParallelism()), async (file) => {
    try {
      return await look(file);
    } catch (error) {
      if (strict) throw error;
      return { reason: decodingFailure(error) };
    }
  });
  for (const [index, { reason }] of checks.entries())
    if (reason !== undefined) skipped.push({ file: files[index]!, reason });
  return checks;
}

/** The size that all the files have. */
async function commonSize(
  name: string,
  files: readonly string[],
  sizes: readonly (readonly [number, number] | undefined)[],
  orient: boolean,
): Promise<readonly [number, number]> {
  const first = sizes[0] ?? (await imageSize(files[0]!, { orient }));
  const other = sizes.findIndex((size) => size !== undefined && (size[0] !== first[0] || size[1] !== first[1]));
  if (other < 0) return first;
  throw new DataError(
    `${name} has images of different sizes (${files[0]} is ${first.join("x")}, ${files[other]} is ${sizes[other]!.join("x")}); ` +
      "give the size to bring them to",
  );
}
