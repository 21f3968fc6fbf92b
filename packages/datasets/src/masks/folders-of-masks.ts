import { type OptionNames } from "@convkit/errors";
import { DataError } from "../data-error.ts";
import type { DataSplits, IndexedDataset } from "../dataset/dataset.ts";
import { splitOff } from "../dataset/split.ts";
import { imagesUnder, type SplitName, splitFoldersOf } from "../folders/class-folders.ts";
import type { FileTree } from "../folders/file-tree.ts";
import { imageFiles, imageOptionNames, type ImageOptions, pickImageOptions } from "../folders/image-files.ts";
import { checkNames } from "../images/decode-options.ts";
import { sourceIn } from "../images/image-source.ts";
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
export function holdsMasks(tree: FileTree, folder: string): boolean {
  const holdsBoth = (path: string): boolean =>
    ["images", "masks"].every((name) => tree.isFolder(tree.join(path, name)));
  const { train } = splitFoldersOf(tree, folder) ?? {};
  return holdsBoth(folder) || (train !== undefined && holdsBoth(train));
}

/** The data of a folder of a tree, as `maskFolder` finds it on disk. */
export async function foldersOfMasks(
  tree: FileTree,
  { name, folder }: { readonly name: string; readonly folder: string },
  options: MaskFolderOptions,
): Promise<DataSplits<IndexedDataset>> {
  checkNames("maskFolder masks", options.masks, { names: true, ignore: true });
  const { test, seed = 0, pixelLimit } = options;
  const splits = tree.isFolder(tree.join(folder, "images")) ? { train: folder } : splitFoldersOf(tree, folder);
  if (splits === undefined) throw new DataError(`${folder}: expected the folders images and masks`);
  const found = Object.entries(splits).map(([split, path]) => [split as SplitName, pairsIn(tree, path)] as const);
  const files = found.flatMap(([, { pairs }]) => pairs.map(({ mask }) => sourceIn(tree.contents, mask)));
  const names = options.masks?.names ?? (await namesIn(tree, tree.join(folder, "classes.txt")));
  const meaning = await meaningOf(name, files, { ignore: options.masks?.ignore, names }, pixelLimit);
  const load = ([split, { pairs, leftOut }]: (typeof found)[number]) =>
    maskedImages(tree, `${name}/${split}`, pairs, meaning, options, leftOut);
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
  tree: FileTree,
  name: string,
  pairs: MaskPairs,
  meaning: MaskMeaning,
  options: ImageOptions,
  leftOut: readonly { readonly file: string; readonly reason: string }[] = [],
): Promise<IndexedDataset> {
  return imageFiles(
    {
      name,
      files: pairs.map(({ image }) => image),
      masks: { files: pairs.map(({ mask }) => mask), meaning },
      leftOut,
      contents: tree.contents,
    },
    pickImageOptions(options),
  );
}

/** The pairs of one split, and the masks that belong to no image. */
function pairsIn(tree: FileTree, folder: string): { pairs: MaskPairs; leftOut: { file: string; reason: string }[] } {
  const [images, masks] = [tree.join(folder, "images"), tree.join(folder, "masks")];
  for (const name of ["images", "masks"])
    if (!tree.isFolder(tree.join(folder, name)))
      throw new DataError(`${folder}: expected the folders images and masks, found no ${name}`);
  const byKey = new Map<string, string[]>();
  for (const file of imagesUnder(tree, masks)) {
    // Some data sets append _mask to the names of masks.
    const key = keyOf(masks, file).replace(/_mask$/, "");
    byKey.set(key, [...(byKey.get(key) ?? []), file]);
  }
  const found = imagesUnder(tree, images);
  const withoutMask = found.filter((file) => !byKey.has(keyOf(images, file)));
  if (found.length === 0) throw new DataError(`${images} holds no images`);
  if (withoutMask.length > 0)
    throw new DataError(
      `${withoutMask.length} of ${found.length} images have no mask: for ${withoutMask[0]} expected ${tree.join(masks, keyOf(images, withoutMask[0]!))}.png`,
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
  return file.slice(folder.length + 1).replace(/(?<=[^/\\])\.[^./\\]*$/, "");
}

async function namesIn(tree: FileTree, file: string): Promise<string[] | undefined> {
  const text = await tree.text(file);
  if (text === undefined) return undefined;
  const names = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean);
  if (names.length < 2)
    throw new DataError(`${file}: expected the names of at least two classes, one a line, found ${names.length}`);
  return names;
}
