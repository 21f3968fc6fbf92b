import { availableParallelism, decodedStore } from "@convkit/datasets/platform";
import { oneOf, type OptionNames, someText, trueOrFalse, wholeFromOne, wholeFromZero } from "@convkit/errors";
import pMap from "p-map";
import { DataError } from "../data-error.ts";
import type { IndexedDataset, SkippedImage } from "../dataset/dataset.ts";
import { datasetFrom } from "../dataset/indexed-dataset.ts";
import {
  type InputData,
  inputsOfSome,
  labelsOf,
  storedInputs,
  storedTargets,
  type TargetData,
  targetsOfSome,
} from "../dataset/targets.ts";
import { type MaskMeaning, maskReader } from "../masks/mask-files.ts";
import { checkSignature, decodedSize, imageSize } from "../images/decode.ts";
import { decodingFailure } from "../images/decoding-failure.ts";
import { decodeFiles } from "../images/decode-files.ts";
import type { FilesDecoding } from "../images/decode-files.ts";
import {
  checkDataValues,
  checkDecodeOptions,
  checkNames,
  decodeOptionNames,
  defaultPixelLimit,
} from "../images/decode-options.ts";
import type { DecodeOptions } from "../images/decode-options.ts";
import type { DecodedCache } from "../images/decoded-cache.ts";
import { keeping, memoryStore } from "../images/image-cache.ts";
import type { EncodedReader, Store } from "../images/image-cache.ts";
import { contentOf } from "../images/image-content.ts";
import { type ImageSource, sourceIn } from "../images/image-source.ts";

export interface ImageOptions extends DecodeOptions {
  /** Throws for an unusable file instead of skipping it and listing it in `skipped`. False by default. */
  readonly strict?: boolean | undefined;
  /**
   * How much of each file is read before the first batch. "head" finds files that are not images, "all" also finds
   * truncated images, "none" reads nothing. "head" by default.
   */
  readonly check?: "head" | "all" | "none" | undefined;
  /**
   * Keeps decoded pixels, so that later epochs need no decoding. "disk" keeps them for later runs and other processes,
   * too, by the content of the image files and the size they were brought to. By default nothing is kept.
   */
  readonly keep?: "memory" | "disk" | undefined;
  /** The most bytes of prefetched batches; 512 MiB by default. */
  readonly memory?: number | undefined;
  /** The cache folder for `keep: "disk"`; `dataCache()` by default. */
  readonly cache?: string | undefined;
  /** The most bytes of all images that `keep: "disk"` keeps in the cache folder; 32 GiB by default. */
  readonly cacheLimit?: number | undefined;
  /**
   * Number of threads that decode JPEG files; one per core by default. With 0, libuv's threads decode them, like all
   * other files. In a web page the browser decodes in threads of its own, whatever the number.
   */
  readonly workers?: number | undefined;
}

export const imageOptionNames: OptionNames<ImageOptions> = {
  ...decodeOptionNames,
  strict: true,
  check: true,
  keep: true,
  memory: true,
  cache: true,
  cacheLimit: true,
  workers: true,
};

/** Picks the image options from other options. */
export function pickImageOptions(options: ImageOptions): ImageOptions {
  const names = Object.keys(imageOptionNames) as (keyof ImageOptions)[];
  return Object.fromEntries(names.map((name) => [name, options[name]]));
}

/** The name of the target of images with mask files. */
const maskTarget = "mask";

export interface LabelledFiles {
  readonly name: string;
  /** The class names, in the order of the labels; missing if there are `targets`. */
  readonly classes?: readonly string[] | undefined;
  /** The paths of the files, in a web page their addresses; or names of `contents`. */
  readonly files: readonly string[];
  /** What files hold that are read otherwise than by their path, by their names in `files`; none by default. */
  readonly contents?: ReadonlyMap<string, Blob | URL> | undefined;
  /** The class of each file; missing if there are `targets`. */
  readonly labels?: ArrayLike<number> | undefined;
  /** What a network is to tell of each image, by name; a class by default. */
  readonly targets?: Readonly<Record<string, TargetData>> | undefined;
  /** The mask file of each file, and what the values of masks mean, in place of labels and targets; no masks by default. */
  readonly masks?: { readonly files: readonly string[]; readonly meaning: MaskMeaning } | undefined;
  /** Values for the model's inputs besides the images, by the names of the inputs; none by default. */
  readonly inputs?: Readonly<Record<string, InputData>> | undefined;
  /** The unusable files, each with the reason, none by default; the data set's `skipped` starts with them. */
  readonly leftOut?: readonly SkippedImage[] | undefined;
  /** The data set's `notes`; none by default. */
  readonly notes?: readonly string[] | undefined;
}

/**
 * Makes a data set from image files. Other threads decode them when they are read. Throws a DataError if no size is
 * given and the files differ in size, and with `strict` if a file is unusable.
 */
export async function imageFiles(given: LabelledFiles, options: ImageOptions = {}): Promise<IndexedDataset> {
  checkNames("imageFiles", options, imageOptionNames);
  const isClass = given.labels !== undefined && given.classes !== undefined;
  if (isClass === (given.targets !== undefined || given.masks !== undefined)) {
    throw new DataError(`${given.name}: expected labels and classes, or targets`);
  }
  const {
    strict = false,
    memory = 512 * 2 ** 20,
    channels = 3,
    orient = true,
    pixelLimit = defaultPixelLimit,
  } = options;
  checkImageOptions(options);
  const sourceOf = (file: string): ImageSource => sourceIn(given.contents, file);
  const skipped = [...(given.leftOut ?? [])];
  const [left] = skipped;
  if (strict && left !== undefined) throw new DataError(`${left.file} cannot be used: ${left.reason}`);
  const whole = await wholeFiles(given, sourceOf, options, skipped);
  const files = whole.map(({ file }) => file);
  const size = options.size ?? (await commonSize(given.name, whole, sourceOf, { orient, pixelLimit }));
  const [count, places] = [given.files.length, Int32Array.from(whole, ({ place }) => place)];
  const images = { count, height: size[0], width: size[1] };
  const told = given.targets && targetsOfSome(storedTargets(given.name, given.targets, images), places);
  const masks =
    given.masks &&
    (await maskReader(
      whole.map(({ file, place }) => ({ image: sourceOf(file), mask: sourceOf(given.masks!.files[place]!) })),
      given.masks.meaning,
      { ...options, size, orient, pixelLimit, ...(options.keep === "memory" && { kept: Number.POSITIVE_INFINITY }) },
    ));
  const inputs = given.inputs && inputsOfSome(storedInputs(given.name, given.inputs, count), places);
  const known =
    told === undefined && masks === undefined
      ? { classes: given.classes ?? [], labels: places.map((place) => given.labels![place]!) }
      : labelsOf(told ?? {}, places.length);
  const decoding: FilesDecoding = { ...options, size, channels, orient, pixelLimit };
  const bytes = size[0] * size[1] * channels;
  const store = await storeFor(decoding, options);
  const read = keeping(
    (wanted) =>
      decodeFiles(
        wanted.map(({ index, target }) => ({ source: sourceOf(files[index]!), target })),
        decoding,
      ),
    store,
    encodedReader(async (indices) => indices.map((index) => sourceOf(files[index]!))),
  );
  return datasetFrom({
    name: given.name,
    classes: known.classes,
    shape: [size[0], size[1], channels],
    dtype: "uint8",
    labels: known.labels,
    targets: told,
    ...(masks && { masks: { ...masks, name: maskTarget } }),
    inputs,
    decoding: { size: [size[0], size[1]], resize: options.resize ?? "bilinear", crop: options.crop ?? false, orient },
    skipped,
    notes: given.notes ?? [],
    prefetch: 2,
    memory,
    decodedCache: store?.use,
    describe: (index) => files[index]!,
    encoded: (index) => sourceOf(files[index]!),
    async read(indices, images) {
      const failures = await read(
        Array.from(indices, (index, place) => ({
          index,
          target: (images as Uint8Array).subarray(place * bytes, (place + 1) * bytes),
        })),
      );
      return leaveOut(failures, { strict, skipped, name: (place) => files[indices[place]!]! });
    },
  });
}

/** Lists images that could not be decoded in `skipped`, and returns their places. With `strict` it throws the first failure. */
export function leaveOut(
  failures: readonly unknown[],
  { strict, skipped, name }: { strict: boolean; skipped: SkippedImage[]; name: (place: number) => string },
): number[] {
  const missing: number[] = [];
  for (const [place, failure] of failures.entries()) {
    if (failure === undefined) continue;
    if (strict) throw failure;
    const file = name(place);
    if (!skipped.some((known) => known.file === file)) skipped.push({ file, reason: decodingFailure(failure) });
    missing.push(place);
  }
  return missing;
}

/** Reads encoded images; one that cannot be read is reported when it is decoded. */
export function encodedReader(sourcesOf: (indices: readonly number[]) => Promise<ImageSource[]>): EncodedReader {
  return async (indices) => {
    const sources = await sourcesOf(indices);
    return Promise.all(sources.map((source) => contentOf(source).catch(() => undefined)));
  };
}

/** Where `keep` keeps decoded images. */
export async function storeFor(
  { size, channels, resize = "bilinear", crop = false, orient }: FilesDecoding,
  { keep, cache, cacheLimit = 32 * 2 ** 30 }: ImageOptions,
): Promise<(Store & { readonly use?: DecodedCache }) | undefined> {
  if (keep === undefined) return undefined;
  if (keep === "memory") return memoryStore();
  // The last part counts changes of the decoders.
  const decoding = [size, channels, resize, crop, orient, 1];
  return decodedStore({ decoding, bytes: size[0] * size[1] * channels, cache, limit: cacheLimit });
}

/** A usable file. */
interface WholeFile {
  readonly file: string;
  /** Its place in the list of all files. */
  readonly place: number;
  /** `[h, w]`, if it was read. */
  readonly size?: readonly [number, number] | undefined;
}

/** Returns the files that pass the check; the others go to `skipped`. Throws if no file passes. */
async function wholeFiles(
  { name, files }: LabelledFiles,
  sourceOf: (file: string) => ImageSource,
  options: ImageOptions,
  skipped: SkippedImage[],
): Promise<WholeFile[]> {
  const { check = "head", strict = false } = options;
  const all = files.map((file, place) => ({ file, place }));
  if (check === "none" && all.length > 0) return all;
  const look = (file: string) => lookAt(sourceOf(file), check === "all", options);
  const checks = await pMap(
    all,
    async (each): Promise<WholeFile | SkippedImage> => {
      try {
        return { ...each, size: await look(each.file) };
      } catch (error) {
        if (strict) throw error;
        return { file: each.file, reason: decodingFailure(error) };
      }
    },
    { concurrency: Math.max(4, availableParallelism()) },
  );
  const broken = checks.filter((each): each is SkippedImage => "reason" in each);
  skipped.push(...broken);
  const whole = checks.filter((each): each is WholeFile => !("reason" in each));
  if (whole.length > 0) return whole;
  const [first] = broken;
  const why = first === undefined ? "" : `: ${first.file} cannot be decoded: ${first.reason}`;
  throw new DataError(`${name} has no image that can be read${why}`);
}

/** Checks a file as `check` says, and returns its size if it was found. */
async function lookAt(
  source: ImageSource,
  isWhole: boolean,
  options: ImageOptions,
): Promise<readonly [number, number] | undefined> {
  const { orient, pixelLimit, size } = options;
  if (isWhole) {
    return decodedSize(source, { orient, pixelLimit });
  }
  if (size === undefined) return imageSize(source, { orient, pixelLimit });
  await checkSignature(source);
  return undefined;
}

/** Throws a DataError for an invalid option. */
export function checkImageOptions(options: ImageOptions): void {
  checkDecodeOptions(options);
  checkDataValues("images", options, {
    workers: wholeFromZero,
    cache: someText,
    cacheLimit: wholeFromOne,
    memory: wholeFromZero,
    strict: trueOrFalse,
    keep: oneOf(["memory", "disk"]),
    check: oneOf(["head", "all", "none"]),
  });
}

/** The common size of all files. */
async function commonSize(
  name: string,
  files: readonly WholeFile[],
  sourceOf: (file: string) => ImageSource,
  options: DecodeOptions,
): Promise<readonly [number, number]> {
  const first = files[0]!.size ?? (await imageSize(sourceOf(files[0]!.file), options));
  const other = files.find(({ size }) => size !== undefined && (size[0] !== first[0] || size[1] !== first[1]));
  if (other === undefined) return first;
  throw new DataError(
    `${name} has images of different sizes (${files[0]!.file} is ${first.join("x")}, ${other.file} is ${other.size!.join("x")}); ` +
      "give the size to bring them to",
  );
}
