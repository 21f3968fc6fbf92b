import { existsSync, readFileSync } from "node:fs";
import { basename, extname, join, relative, resolve } from "node:path";
import { type OptionNames } from "@convkit/errors";
import { DataError } from "../data-error.ts";
import type { DataSplits, IndexedDataset } from "../dataset/dataset.ts";
import { splitOff } from "../dataset/split.ts";
import { imagesIn, type SplitName, splitFoldersOf } from "../folders/class-folders.ts";
import { imageFiles, imageOptionNames, type ImageOptions, pickImageOptions } from "../folders/image-files.ts";
import { checkNames } from "../images/decode-options.ts";
import { type MaskMeaning, type MaskOptions, meaningOf } from "./mask-files.ts";

/** Options of `maskFolder`. */
export interface MaskFolderOptions extends ImageOptions {
  /** What the values of the masks mean; by default their numbers are the classes, named by `classes.txt` if it is there. */
  readonly masks?: MaskOptions | undefined;
  /** Splits at random: a share below 1 or a number of the images becomes the test split. None by default. */
  readonly test?: number | undefined;
  /** The seed of the random split; 0 by default. */
  readonly seed?: number | undefined;
}

export const maskFolderOptionNames: OptionNames<MaskFolderOptions> = {
  ...imageOptionNames,
  masks: true,
  test: true,
  seed: true,
};

/** True for a folder with `images` and `masks`, or with such a folder as its train split. */
export function isMaskFolder(folder: string): boolean {
  const holdsBoth = (path: string): boolean => ["images", "masks"].every((name) => existsSync(join(path, name)));
  const { train } = splitFoldersOf(folder) ?? {};
  return holdsBoth(folder) || (train !== undefined && holdsBoth(train));
}

/**
 * Loads a folder of images with masks: `images/` and `masks/` with files of the same names, or folders `train`,
 * `validation` and `test` with these two. A file `classes.txt` may name the classes, one a line. A mask is a grayscale or
 * palette PNG with a class number for each pixel, or black and white. Throws a DataError for an image without a mask, and
 * for masks of another size, with colors, or with values that are no class.
 */
export async function maskFolder(folder: string, options: MaskFolderOptions = {}): Promise<DataSplits<IndexedDataset>> {
  checkNames("maskFolder", options, maskFolderOptionNames);
  checkNames("maskFolder masks", options.masks, { names: true, ignore: true });
  const { test, seed = 0, pixelLimit } = options;
  const name = basename(resolve(folder));
  const splits = existsSync(join(folder, "images")) ? { train: folder } : splitFoldersOf(folder);
  if (splits === undefined) throw new DataError(`${folder}: expected the folders images and masks`);
  const found = Object.entries(splits).map(([split, path]) => [split as SplitName, pairsIn(path)] as const);
  const files = found.flatMap(([, { pairs }]) => pairs.map(({ mask }) => mask));
  const names = options.masks?.names ?? namesIn(join(folder, "classes.txt"));
  const meaning = await meaningOf(name, files, { ignore: options.masks?.ignore, names }, pixelLimit);
  const load = ([split, { pairs, leftOut }]: (typeof found)[number]) =>
    maskedImages(`${name}/${split}`, pairs, meaning, options, leftOut);
  const loaded: Partial<Record<SplitName, IndexedDataset>> = {};
  for (const each of found) loaded[each[0]] = await load(each);
  const { train, ...others } = loaded;
  if (train === undefined) throw new DataError(`${folder}: expected a train split`);
  if (test === undefined) return { name, train, ...others };
  if (others.test !== undefined)
    throw new DataError(`${folder} has its own ${others.test.size} test images; none are split off`);
  const [rest, part] = splitOff(train, test, { seed });
  return { name, ...others, train: rest, test: part };
}

/** Image files with the mask file of each. */
type MaskPairs = readonly { readonly image: string; readonly mask: string }[];

/** A data set of images with masks. */
function maskedImages(
  name: string,
  pairs: MaskPairs,
  meaning: MaskMeaning,
  options: ImageOptions,
  leftOut: readonly { readonly file: string; readonly reason: string }[] = [],
): Promise<IndexedDataset> {
  return imageFiles(
    { name, files: pairs.map(({ image }) => image), masks: { files: pairs.map(({ mask }) => mask), meaning }, leftOut },
    pickImageOptions(options),
  );
}

/** The pairs of one split, and the masks that belong to no image. */
function pairsIn(folder: string): { pairs: MaskPairs; leftOut: { file: string; reason: string }[] } {
  const [images, masks] = [join(folder, "images"), join(folder, "masks")];
  for (const path of [images, masks])
    if (!existsSync(path))
      throw new DataError(`${folder}: expected the folders images and masks, found no ${basename(path)}`);
  const byKey = new Map<string, string[]>();
  for (const file of imagesIn(masks)) {
    // Some data sets append _mask to the names of masks.
    const key = keyOf(masks, file).replace(/_mask$/, "");
    byKey.set(key, [...(byKey.get(key) ?? []), file]);
  }
  const found = imagesIn(images);
  const withoutMask = found.filter((file) => !byKey.has(keyOf(images, file)));
  if (found.length === 0) throw new DataError(`${images} holds no images`);
  if (withoutMask.length > 0)
    throw new DataError(
      `${withoutMask.length} of ${found.length} images have no mask: for ${withoutMask[0]} expected ${join(masks, keyOf(images, withoutMask[0]!))}.png`,
    );
  const pairs = found.map((image) => {
    const own = byKey.get(keyOf(images, image))!;
    if (own.length > 1) throw new DataError(`${image} has ${own.length} masks: ${own.join(", ")}; expected one`);
    return { image, mask: own[0]! };
  });
  const used = new Set(pairs.map(({ mask }) => mask));
  const stray = [...byKey.values()].flat().filter((file) => !used.has(file));
  return { pairs, leftOut: stray.map((file) => ({ file, reason: "it is a mask without an image" })) };
}

/** The path within a folder, without its extension. */
function keyOf(folder: string, file: string): string {
  const within = relative(folder, file);
  return within.slice(0, within.length - extname(within).length);
}

function namesIn(file: string): string[] | undefined {
  if (!existsSync(file)) return undefined;
  const names = readFileSync(file, "utf8")
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean);
  if (names.length < 2)
    throw new DataError(`${file}: expected the names of at least two classes, one a line, found ${names.length}`);
  return names;
}
