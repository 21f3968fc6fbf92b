import { DataError } from "./data-error.ts";
import type { DataSplits, IndexedDataset } from "./dataset/dataset.ts";
import type { DataFiles } from "./folders/given-files.ts";
import { type FilesOptions, loadFiles } from "./load-files.ts";
import type { LoadOptions } from "./load.ts";

/** `loadData` of a page: files only, since a page neither opens folders by their path nor has data sets by name. */
export async function loadData(nameOrFolder: string, options?: LoadOptions): Promise<never>;
export async function loadData(files: DataFiles, options?: FilesOptions): Promise<DataSplits<IndexedDataset>>;
export async function loadData(data: string | DataFiles, options?: LoadOptions): Promise<DataSplits<IndexedDataset>> {
  if (typeof data !== "string") return loadFiles(data, options);
  throw new DataError(
    `loadData: a web page cannot look into ${data}; give Files, a list of { path, file }, the addresses of all files or a handle of a folder`,
  );
}
