import { existsSync, statSync } from "node:fs";
import { basename, resolve as resolvePath } from "node:path";
import { cifar10, cifar100, isCifarFolder, loadCifarFolder, loadCifarSet } from "./cifar-set.ts";
import { DataError } from "./data-error.ts";
import type { DataSplits, IndexedDataset } from "./dataset.ts";
import { isIdxFolder, loadIdxFolder, loadIdxSet } from "./idx-set.ts";
import type { SourceOptions } from "./idx-set.ts";
import { fashionMnist, mnist } from "./mnist.ts";
import { arrangeSplits } from "./split.ts";
import type { SplitsOptions } from "./split.ts";

export interface LoadOptions extends SourceOptions, SplitsOptions {}

type Loader = (options: LoadOptions) => Promise<DataSplits<IndexedDataset>>;

/** The data sets that have a name, and how each is loaded. */
export const dataSets = {
  mnist: (options) => loadIdxSet(mnist, options),
  "fashion-mnist": (options) => loadIdxSet(fashionMnist, options),
  cifar10: (options) => loadCifarSet(cifar10, options),
  cifar100: (options) => loadCifarSet(cifar100, options),
} as const satisfies Record<string, Loader>;

export type DataSetName = keyof typeof dataSets;

/**
 * The data set of that name, or the one in that folder (IDX files, CIFAR's binary files). Throws a `DataError` that lists
 * the known names, or says what the folder lacks.
 */
export async function loadData(
  nameOrFolder: DataSetName | (string & {}),
  options: LoadOptions = {},
): Promise<DataSplits<IndexedDataset>> {
  return arrangeSplits(await loadAll(nameOrFolder, options), options);
}

async function loadAll(nameOrFolder: string, options: LoadOptions): Promise<DataSplits<IndexedDataset>> {
  if (Object.hasOwn(dataSets, nameOrFolder)) return dataSets[nameOrFolder as DataSetName](options);
  if (!existsSync(nameOrFolder)) {
    throw new DataError(
      `${nameOrFolder} is neither a known data set (${Object.keys(dataSets).join(", ")}) nor a folder that exists`,
    );
  }
  const folder = resolvePath(nameOrFolder);
  const name = basename(folder);
  if (!statSync(folder).isDirectory()) throw new DataError(`${nameOrFolder} is a file; expected a folder of data`);
  if (isIdxFolder(folder)) return loadIdxFolder(folder, name);
  if (isCifarFolder(folder)) return loadCifarFolder(folder, name);
  throw new DataError(`${nameOrFolder} holds neither IDX files nor CIFAR's binary files`);
}
