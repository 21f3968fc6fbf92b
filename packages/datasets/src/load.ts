import { existsSync, statSync } from "node:fs";
import { basename, resolve as resolvePath } from "node:path";
import { shown, someText, trueOrFalse } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import { DataError } from "./data-error.ts";
import type { DataSplits, IndexedDataset } from "./dataset/dataset.ts";
import { arrangeSplits, splitOff, splitRules } from "./dataset/split.ts";
import type { SplitsOptions } from "./dataset/split.ts";
import { csvImages, csvOptionNames } from "./folders/csv-images.ts";
import type { CsvOptions } from "./folders/csv-images.ts";
import { imageFolderOptionNames } from "./folders/folders-of-classes.ts";
import type { ImageFolderOptions } from "./folders/folders-of-classes.ts";
import { imageFolder } from "./folders/image-folder.ts";
import { pickImageOptions } from "./folders/image-files.ts";
import { checkDataValues, checkNames } from "./images/decode-options.ts";
import { maskFolderOptionNames, type MaskFolderOptions } from "./masks/folders-of-masks.ts";
import { isMaskFolder, maskFolder } from "./masks/mask-folder.ts";
import { isCifarFolder, loadCifarFolder } from "./published/cifar-set.ts";
import { isIdxFolder, loadIdxFolder } from "./published/idx-set.ts";
import type { SourceOptions } from "./published/idx-set.ts";
import type { DataFiles } from "./folders/given-files.ts";
import { type FilesOptions, loadFiles } from "./load-files.ts";
import { areShards, isShardPattern } from "./records/shard-files.ts";
import { imageShards, shardOptionNames } from "./records/shards.ts";
import type { ShardOptions } from "./records/shards.ts";
import { dataSets } from "./published/registry.ts";
import type { DataSetName } from "./published/registry.ts";

/** Options of `loadData`: the place of the data, how images are decoded, and how they are split. */
export interface LoadOptions
  extends
    SourceOptions,
    SplitsOptions,
    ImageFolderOptions,
    MaskFolderOptions,
    CsvOptions,
    Pick<ShardOptions, "window"> {
  /** Seed of random splits and limits; 0 by default. */
  readonly seed?: number | undefined;
  /** The folder for downloaded data and for `keep: "disk"`; `dataCache()` by default. */
  readonly cache?: string | undefined;
}

const optionNames: OptionNames<LoadOptions> = {
  ...imageFolderOptionNames,
  ...csvOptionNames,
  ...shardOptionNames,
  ...maskFolderOptionNames,
  from: true,
  resolve: true,
  trust: true,
  signal: true,
  onProgress: true,
  validation: true,
  stratify: true,
  limit: true,
};

/**
 * Loads a data set by name, from a folder (IDX files, CIFAR's binary files, shards, images by class, or images with masks),
 * from shards by their names, or from a CSV file (paths and labels). Files, as a web page has them, are taken as the files of a folder of
 * images by class or with masks. Throws a DataError that lists the known names, or says what the folder lacks.
 */
export async function loadData(
  name: DataSetName,
  options?: LoadOptions,
): Promise<DataSplits<IndexedDataset> & { readonly test: IndexedDataset }>;
export async function loadData(nameOrFolder: string, options?: LoadOptions): Promise<DataSplits<IndexedDataset>>;
export async function loadData(files: DataFiles, options?: FilesOptions): Promise<DataSplits<IndexedDataset>>;
export async function loadData(
  nameOrFolder: string | DataFiles,
  options: LoadOptions = {},
): Promise<DataSplits<IndexedDataset>> {
  if (typeof nameOrFolder === "object" && nameOrFolder !== null) return loadFiles(nameOrFolder, options);
  if (typeof nameOrFolder !== "string" || nameOrFolder === "") {
    throw new DataError(
      `loadData: expected the name of a data set (${Object.keys(dataSets).join(", ")}) or a folder, got ${shown(nameOrFolder)}`,
    );
  }
  checkNames("loadData", options, optionNames);
  checkDataValues("loadData", options, {
    ...splitRules,
    from: someText,
    root: someText,
    outside: trueOrFalse,
    trust: trueOrFalse,
  });
  return arrangeSplits(await loadAll(nameOrFolder, options), options);
}

/** The splits of data other than class folders. The test split comes with the data, or is split off here. */
function withTest(
  splits: DataSplits<IndexedDataset>,
  { test, ranges, stratify, seed = 0 }: LoadOptions,
): DataSplits<IndexedDataset> {
  if (ranges !== undefined) throw new DataError(`ranges part folders of classes, and ${splits.name} is none`);
  if (test === undefined) return splits;
  if (splits.test !== undefined) {
    throw new DataError(`${splits.name} has its own ${splits.test.size} test images; none are split off`);
  }
  const [train, part] = splitOff(splits.train, test, { seed, stratify });
  return { ...splits, train, test: part };
}

async function loadAll(nameOrFolder: string, options: LoadOptions): Promise<DataSplits<IndexedDataset>> {
  const { root, outside, columns, masks, window, ranges, test, stratify, seed } = options;
  const isCsv = nameOrFolder.toLowerCase().endsWith(".csv");
  const isNamed = Object.hasOwn(dataSets, nameOrFolder);
  const path = resolvePath(nameOrFolder);
  const isThere = existsSync(nameOrFolder) || isShardPattern(path);
  const isOfShards = !isNamed && isThere && !isCsv && areShards(path);
  if (!isCsv && (root ?? outside ?? (isOfShards ? undefined : columns)) !== undefined)
    throw new DataError(`root, outside and columns are options of CSV files, and ${nameOrFolder} is none`);
  if (!isOfShards && window !== undefined)
    throw new DataError(`window is an option of shards, and ${nameOrFolder} is none`);
  if (masks !== undefined && !isCsv && (isNamed || !isThere || !isMaskFolder(path)))
    throw new DataError(`masks is for images with masks, and ${nameOrFolder} has no folders images and masks`);
  if (isNamed) {
    return withTest(await dataSets[nameOrFolder as DataSetName].load(options), options);
  }
  if (isOfShards) return withTest(await imageShards(path, { ...pickImageOptions(options), columns, window }), options);
  if (!isThere) {
    throw new DataError(
      `${nameOrFolder} is neither a known data set (${Object.keys(dataSets).join(", ")}) nor a folder that exists`,
    );
  }
  if (!statSync(path).isDirectory()) {
    if (!isCsv)
      throw new DataError(
        `${nameOrFolder} is a file; expected a folder of data, shards (.tar, .parquet, .tfrecord), or a .csv of paths and labels`,
      );
    return withTest(await csvImages(path, { ...pickImageOptions(options), root, outside, columns, masks }), options);
  }
  if (isIdxFolder(path)) return withTest(await loadIdxFolder(path, basename(path)), options);
  if (isCifarFolder(path)) return withTest(await loadCifarFolder(path, basename(path)), options);
  if (isMaskFolder(path)) {
    if (ranges !== undefined || stratify === true)
      throw new DataError(`ranges and stratify are for classes of images, and ${nameOrFolder} has masks`);
    return maskFolder(path, { ...pickImageOptions(options), masks, test, seed });
  }
  return imageFolder(path, { ...pickImageOptions(options), ranges, test, stratify, seed });
}
