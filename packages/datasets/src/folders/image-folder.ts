import { basename, resolve } from "node:path";
import type { DataSplits, IndexedDataset } from "../dataset/dataset.ts";
import { splitRules } from "../dataset/split.ts";
import { checkDataValues, checkNames } from "../images/decode-options.ts";
import { diskTree } from "./disk-tree.ts";
import { foldersOfClasses, imageFolderOptionNames } from "./folders-of-classes.ts";
import type { ImageFolderOptions } from "./folders-of-classes.ts";

/**
 * Loads a folder of images. It contains folders `train`, `validation` and `test` (each with class folders), or class
 * folders that `ranges` or `test` split. Classes are ordered by the code points of their names. Throws a DataError for
 * empty classes, for a single class, for splits with different classes, and for a split that would be empty.
 */
export async function imageFolder(
  folder: string,
  options: ImageFolderOptions = {},
): Promise<DataSplits<IndexedDataset>> {
  checkNames("imageFolder", options, imageFolderOptionNames);
  const { validation: _validation, ...rules } = splitRules;
  checkDataValues("imageFolder", options, rules);
  return foldersOfClasses(diskTree, { name: basename(resolve(folder)), folder }, options);
}
