import { existsSync, statSync } from "node:fs";
import { basename, resolve as resolvePath } from "node:path";
import { isCifarFolder, loadCifarFolder } from "./published/cifar-set.ts";
import { csvImages } from "./folders/csv-images.ts";
import { DataError } from "./data-error.ts";
import { dataSets } from "./published/registry.ts";
import type { DataSetName } from "./published/registry.ts";
import type { DataSplits, IndexedDataset } from "./dataset/dataset.ts";
import { isIdxFolder, loadIdxFolder } from "./published/idx-set.ts";
import type { SourceOptions } from "./published/idx-set.ts";
import { imageFolder } from "./folders/image-folder.ts";
import type { ImageFolderOptions } from "./folders/image-folder.ts";
import { arrangeSplits, splitOff } from "./dataset/split.ts";
import type { SplitsOptions } from "./dataset/split.ts";

/** Where a named data set is; how images are decoded; what is split off and left out. */
export interface LoadOptions extends SourceOptions, SplitsOptions, ImageFolderOptions {
  seed?: number | undefined;
  cache?: string | undefined;
}

/**
 * The data set of that name, or the one in that folder (IDX files, CIFAR's binary files, images by class) or CSV file (paths
 * and labels). Throws a `DataError` that lists the known names, or says what the folder lacks.
 */
export async function loadData(
  nameOrFolder: DataSetName | (string & {}),
  options: LoadOptions = {},
): Promise<DataSplits<IndexedDataset>> {
  return arrangeSplits(await loadAll(nameOrFolder, options), options);
}

/** What is no folder of classes has no ranges, and a test split of its own or one that is split off here. */
function parted(
  splits: DataSplits<IndexedDataset>,
  { test, ranges, seed = 0 }: LoadOptions,
): DataSplits<IndexedDataset> {
  if (ranges !== undefined) throw new DataError(`ranges part folders of classes, and ${splits.name} is none`);
  if (test === undefined) return splits;
  if (splits.test !== undefined) {
    throw new DataError(`${splits.name} has its own ${splits.test.size} test images; none are split off`);
  }
  const [train, part] = splitOff(splits.train, test, { seed });
  return { ...splits, train, test: part };
}

async function loadAll(nameOrFolder: string, options: LoadOptions): Promise<DataSplits<IndexedDataset>> {
  if (Object.hasOwn(dataSets, nameOrFolder)) {
    return parted(await dataSets[nameOrFolder as DataSetName].load(options), options);
  }
  if (!existsSync(nameOrFolder)) {
    throw new DataError(
      `${nameOrFolder} is neither a known data set (${Object.keys(dataSets).join(", ")}) nor a folder that exists`,
    );
  }
  const path = resolvePath(nameOrFolder);
  if (!statSync(path).isDirectory()) {
    if (path.toLowerCase().endsWith(".csv")) return parted(await csvImages(path, options), options);
    throw new DataError(`${nameOrFolder} is a file; expected a folder of data, or a .csv of paths and labels`);
  }
  if (isIdxFolder(path)) return parted(await loadIdxFolder(path, basename(path)), options);
  if (isCifarFolder(path)) return parted(await loadCifarFolder(path, basename(path)), options);
  return imageFolder(path, options);
}
