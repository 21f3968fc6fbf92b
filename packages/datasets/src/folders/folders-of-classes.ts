import type { OptionNames } from "@convkit/errors";
import { filesByClass, inNumberOrder, labelled, splitFoldersOf } from "./class-folders.ts";
import type { ClassFolders, FilesByClass, SplitName } from "./class-folders.ts";
import { DataError } from "../data-error.ts";
import type { DataSplits, IndexedDataset } from "../dataset/dataset.ts";
import { splitOff } from "../dataset/split.ts";
import type { FileTree } from "./file-tree.ts";
import { imageFiles, imageOptionNames, pickImageOptions } from "./image-files.ts";
import type { ImageOptions } from "./image-files.ts";

/** Which images of each class belong to a split, in the order of their numbers: `[from, to)`. */
export type Ranges = Readonly<Partial<Record<SplitName, readonly [from: number, to: number]>>>;

export interface ImageFolderOptions extends ImageOptions {
  /**
   * Splits by index: of each class, images `from` up to but not including `to`, in the order of the numbers in their
   * names. By default all images are for training, unless `test` is given or folders name the splits.
   */
  readonly ranges?: Ranges | undefined;
  /**
   * Splits at random: a share below 1 or a number of the images becomes the test split. By default none is split off.
   */
  readonly test?: number | undefined;
  /** The seed of the random split; 0 by default. */
  readonly seed?: number | undefined;
  /** Whether each class has the same share in the random split; false by default. */
  readonly stratify?: boolean | undefined;
}

export const imageFolderOptionNames: OptionNames<ImageFolderOptions> = {
  ...imageOptionNames,
  ranges: true,
  test: true,
  seed: true,
  stratify: true,
};

/** The data of a folder of a tree, as `imageFolder` finds it on disk. */
export async function foldersOfClasses(
  tree: FileTree,
  { name, folder }: { readonly name: string; readonly folder: string },
  options: ImageFolderOptions,
): Promise<DataSplits<IndexedDataset>> {
  const { ranges, test, stratify, seed = 0 } = options;
  const splits = splitFoldersOf(tree, folder);
  if (splits !== undefined) return splitsByFolder(tree, name, folder, splits, options);
  const found = filesByClass(tree, folder);
  if (ranges !== undefined && test !== undefined) {
    throw new DataError(`${folder} can be parted by ranges or by test, not by both`);
  }
  if (ranges !== undefined) return splitsByRange(tree, name, found, ranges, options);
  const train = await imageFiles(labelled(tree, `${name}/train`, found), pickImageOptions(options));
  if (test === undefined) return { name, train };
  const [rest, part] = splitOff(train, test, { seed, stratify });
  return { name, train: rest, test: part };
}

async function splitsByFolder(
  tree: FileTree,
  name: string,
  folder: string,
  splits: Partial<Record<SplitName, string>>,
  options: ImageFolderOptions,
): Promise<DataSplits<IndexedDataset>> {
  if (options.ranges !== undefined || options.test !== undefined) {
    throw new DataError(
      `${folder} is parted by its folders already (${Object.keys(splits).join(", ")}); leave out ranges and test`,
    );
  }
  const found = Object.entries(splits).map(([split, path]) => [split as SplitName, filesByClass(tree, path)] as const);
  const expected = [...found[0]![1].classes.keys()];
  for (const [split, { classes }] of found.slice(1)) {
    const names = [...classes.keys()];
    if (names.length === expected.length && names.every((each, place) => each === expected[place])) continue;
    throw new DataError(
      `${splits[split]}: expected the classes of train (${expected.join(", ")}), found ${names.join(", ")}`,
    );
  }
  return loadSplits(tree, name, found, options);
}

async function splitsByRange(
  tree: FileTree,
  name: string,
  found: ClassFolders,
  ranges: Ranges,
  options: ImageFolderOptions,
): Promise<DataSplits<IndexedDataset>> {
  checkRanges(ranges);
  const parts = (Object.entries(ranges) as [SplitName, readonly [number, number]][]).map(
    ([split, range]) => [split, { ...found, classes: filesInRange(found.classes, range) }] as const,
  );
  return loadSplits(tree, name, parts, options);
}

/** Throws a DataError if a range belongs to no split, or if two ranges overlap. */
export function checkRanges(ranges: Ranges): void {
  const splits = Object.entries(ranges);
  for (const [name, [from, to]] of splits) {
    if (!["train", "validation", "test"].includes(name)) {
      throw new DataError(`A range should be of train, validation or test, not of ${name}`);
    }
    for (const [other, [start, end]] of splits) {
      if (name < other && from < end && start < to) {
        throw new DataError(
          `The ranges ${name} ${from}:${to} and ${other} ${start}:${end} overlap; an image may be in one split only`,
        );
      }
    }
  }
}

/**
 * Images `from` up to but not including `to` of each class, in number order. Throws a DataError if a class has too few
 * images.
 */
export function filesInRange(classes: FilesByClass, [from, to]: readonly [number, number]): FilesByClass {
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to <= from) {
    throw new DataError(`A range should be FROM:TO with 0 <= FROM < TO, not ${from}:${to}`);
  }
  return new Map(
    [...classes].map(([name, files]) => {
      if (files.length >= to) return [name, inNumberOrder(files).slice(from, to)];
      throw new DataError(`Class ${name} has ${files.length} images, too few for the range ${from}:${to}`);
    }),
  );
}

async function loadSplits(
  tree: FileTree,
  name: string,
  parts: readonly (readonly [SplitName, ClassFolders])[],
  options: ImageFolderOptions,
): Promise<DataSplits<IndexedDataset>> {
  const loaded: Partial<Record<SplitName, IndexedDataset>> = {};
  for (const [split, found] of parts) {
    loaded[split] = await imageFiles(labelled(tree, `${name}/${split}`, found), pickImageOptions(options));
  }
  const { train, ...others } = loaded;
  if (train === undefined) throw new DataError(`${name}: the ranges name no train split`);
  for (const [split, data] of Object.entries(others)) {
    if (data.shape.join("x") === train.shape.join("x")) continue;
    throw new DataError(
      `${name} has images of different sizes (${train.shape.join("x")} in train, ${data.shape.join("x")} in ${split}); ` +
        "give the size to bring them to",
    );
  }
  return { name, train, ...others };
}
