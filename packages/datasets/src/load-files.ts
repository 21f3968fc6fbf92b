import type { OptionNames } from "@convkit/errors";
import { DataError } from "./data-error.ts";
import type { DataSplits, IndexedDataset } from "./dataset/dataset.ts";
import { arrangeSplits, splitRules } from "./dataset/split.ts";
import type { SplitsOptions } from "./dataset/split.ts";
import { foldersOfClasses, imageFolderOptionNames, type ImageFolderOptions } from "./folders/folders-of-classes.ts";
import { type DataFiles, givenFiles } from "./folders/given-files.ts";
import { givenTree } from "./folders/given-tree.ts";
import { checkDataValues, checkNames } from "./images/decode-options.ts";
import { foldersOfMasks, holdsMasks, type MaskFolderOptions } from "./masks/folders-of-masks.ts";

/** Options of `loadData` for files in place of a name or a folder. */
export interface FilesOptions extends ImageFolderOptions, MaskFolderOptions, SplitsOptions {}

const optionNames: OptionNames<FilesOptions> = {
  ...imageFolderOptionNames,
  masks: true,
  validation: true,
  limit: true,
};

/** `loadData` of files: images in folders of classes, with folders of splits or without, or images with masks. */
export async function loadFiles(files: DataFiles, options: FilesOptions = {}): Promise<DataSplits<IndexedDataset>> {
  checkNames("loadData of files", options, optionNames);
  checkDataValues("loadData", options, splitRules);
  const given = await givenFiles(files);
  const tree = await givenTree(given);
  const place = { name: given.root === "" ? "files" : given.root, folder: given.root };
  const { validation: _validation, limit: _limit, masks, ...forClasses } = options;
  if (!holdsMasks(tree, given.root)) {
    if (masks !== undefined)
      throw new DataError(`masks is for images with masks, and ${place.name} has no folders images and masks`);
    return arrangeSplits(await foldersOfClasses(tree, place, forClasses), options);
  }
  const { ranges, stratify, ...forMasks } = forClasses;
  if (ranges !== undefined || stratify === true)
    throw new DataError(`ranges and stratify are for classes of images, and ${place.name} has masks`);
  return arrangeSplits(await foldersOfMasks(tree, place, { ...forMasks, masks }), options);
}
