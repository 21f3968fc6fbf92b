import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readArchive } from "../formats/tar-archive.ts";
import { fromArrays } from "../dataset/from-arrays.ts";
import { dataCache, verifyPinned } from "../storage/cache.ts";
import { cifar100Classes, cifar10Classes } from "./cifar-classes.ts";
import { cifarShape, parseCifar } from "../formats/cifar.ts";
import { DataError } from "../data-error.ts";
import type { DataSplits, IndexedDataset } from "../dataset/dataset.ts";
import { download } from "../storage/download.ts";
import { isUrl } from "./idx-set.ts";
import type { SourceOptions } from "./idx-set.ts";

/** A data set in CIFAR's binary version: an archive, or its unpacked files. */
export interface CifarSet {
  name: string;
  classCount: 10 | 100;
  classes: readonly string[];
  url: string;
  archive: string;
  sha256: string;
  /** The folder in the archive. */
  folder: string;
  train: readonly string[];
  test: string;
}

/** 50,000 and 10,000 pictures in 10 classes, 32x32x3. */
export const cifar10: CifarSet = {
  name: "cifar10",
  classCount: 10,
  classes: cifar10Classes,
  url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
  archive: "cifar-10-binary.tar.gz",
  sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
  folder: "cifar-10-batches-bin",
  train: [1, 2, 3, 4, 5].map((part) => `data_batch_${part}.bin`),
  test: "test_batch.bin",
};

/** 50,000 and 10,000 pictures in 100 classes, 32x32x3. */
export const cifar100: CifarSet = {
  name: "cifar100",
  classCount: 100,
  classes: cifar100Classes,
  url: "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
  archive: "cifar-100-binary.tar.gz",
  sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
  folder: "cifar-100-binary",
  train: ["train.bin"],
  test: "test.bin",
};

/** Loads the data set from the archive or its unpacked files; `from` may name the archive itself. */
export async function loadCifarSet(set: CifarSet, options: SourceOptions = {}): Promise<DataSplits<IndexedDataset>> {
  const { from, cache = dataCache(), trust } = options;
  const place =
    from !== undefined && isUrl(from) ? await fetchCifarSet(set, from, options) : findCifar(set, from, cache);
  const files = place.endsWith(".tar.gz")
    ? await readPinnedArchive(place, set, { cache, trust })
    : new Map(
        await Promise.all(
          [...set.train, set.test].map(async (name) => [name, await readFile(join(place, name))] as const),
        ),
      );
  return splitsOf(set, files, place);
}

/** Loads any folder with files of CIFAR-10 or CIFAR-100, however many there are. */
export async function loadCifarFolder(folder: string, name: string): Promise<DataSplits<IndexedDataset>> {
  const set = kindOf(folder)!;
  const here = [...set.train, set.test].filter((file) => existsSync(join(folder, file)));
  const files = new Map(
    await Promise.all(here.map(async (file) => [file, await readFile(join(folder, file))] as const)),
  );
  const names = await readFile(join(folder, "batches.meta.txt"), "utf8").catch(() => "");
  const classes = names
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return splitsOf({ ...set, name, ...(classes.length === set.classCount ? { classes } : {}) }, files, folder);
}

/** True if a folder contains CIFAR's binary files. */
export function isCifarFolder(folder: string): boolean {
  return kindOf(folder) !== undefined;
}

/** Downloads the archive into the cache, and returns its path. */
export async function fetchCifarSet(
  set: CifarSet,
  url: string = set.url,
  { cache = dataCache(), signal, onProgress }: SourceOptions = {},
): Promise<string> {
  const file = join(cache, set.name, set.archive);
  await download(url, file, { sha256: set.sha256, signal, onProgress });
  return file;
}

/** The archive, or the folder with the unpacked files. */
export function findCifar(set: CifarSet, from: string | undefined, cache: string): string {
  const complete = (folder: string) => [...set.train, set.test].every((file) => existsSync(join(folder, file)));
  const root = from ?? join(cache, set.name);
  if (root.endsWith(".tar.gz") && existsSync(root)) return root;
  const folder = [root, join(root, set.folder)].find(complete);
  if (folder !== undefined) return folder;
  if (existsSync(join(root, set.archive))) return join(root, set.archive);
  const wanted = `${set.archive} (or ${[...set.train, set.test].join(", ")})`;
  if (from !== undefined) throw new DataError(`${from} should hold ${wanted}, but does not`);
  throw new DataError(
    `${set.name} is not on this machine: fetch it with \`convkit data fetch ${set.name}\`, or put ${wanted} into ${root}`,
  );
}

async function readPinnedArchive(
  file: string,
  set: CifarSet,
  pin: { cache: string; trust: boolean | undefined },
): Promise<Map<string, Buffer>> {
  await verifyPinned(file, { ...pin, sha256: set.sha256, bytes: await readFile(file) });
  const wanted = new Set([...set.train, set.test]);
  const files = await readArchive(file, (name) => wanted.has(name));
  const missing = [...wanted].filter((name) => !files.has(name));
  if (missing.length > 0) throw new DataError(`${file} lacks ${missing.join(", ")}; fetch it again`);
  return files;
}

function splitsOf(set: CifarSet, files: ReadonlyMap<string, Uint8Array>, place: string): DataSplits<IndexedDataset> {
  const partOf = (names: readonly string[], split: string) => {
    const parts = names.flatMap((file) => {
      const bytes = files.get(file);
      return bytes === undefined ? [] : [parseCifar(bytes, join(place, file), { classes: set.classCount })];
    });
    if (parts.length === 0) return undefined;
    return fromArrays({
      images: concatenate(parts.map(({ images }) => images)),
      labels: concatenate(parts.map(({ labels }) => labels)),
      shape: cifarShape,
      classes: set.classes,
      name: `${set.name}/${split}`,
    });
  };
  const train = partOf(set.train, "train");
  if (train === undefined) throw new DataError(`${place} should hold ${set.train[0]}, but does not`);
  const test = partOf([set.test], "test");
  return { name: set.name, train, ...(test === undefined ? {} : { test }) };
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let end = 0;
  for (const part of parts) {
    whole.set(part, end);
    end += part.length;
  }
  return whole;
}

function kindOf(folder: string): CifarSet | undefined {
  const names = new Set(existsSync(folder) ? readdirSync(folder) : []);
  return [cifar10, cifar100].find((set) => set.train.some((file) => names.has(file)));
}
