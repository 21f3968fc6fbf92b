import { basename, resolve } from "node:path";
import type { DataSplits, IndexedDataset } from "../dataset/dataset.ts";
import { diskTree } from "../folders/disk-tree.ts";
import { checkNames } from "../images/decode-options.ts";
import { foldersOfMasks, holdsMasks, maskFolderOptionNames, type MaskFolderOptions } from "./folders-of-masks.ts";

/** True for a folder with `images` and `masks`, or with such a folder as its train split. */
export function isMaskFolder(folder: string): boolean {
  return holdsMasks(diskTree, folder);
}

/**
 * Loads a folder of images with masks: `images/` and `masks/` with files of the same names, or folders `train`,
 * `validation` and `test` with these two. A file `classes.txt` may name the classes, one a line. A mask is a grayscale or
 * palette PNG with a class number for each pixel, or black and white. Throws a DataError for an image without a mask, and
 * for masks of another size, with colors, or with values that are no class.
 */
export async function maskFolder(folder: string, options: MaskFolderOptions = {}): Promise<DataSplits<IndexedDataset>> {
  checkNames("maskFolder", options, maskFolderOptionNames);
  return foldersOfMasks(diskTree, { name: basename(resolve(folder)), folder }, options);
}
