import { existsSync, readdirSync, statSync } from "node:fs";
import { extname, join, relative } from "node:path";
import { DataError, reasonOf } from "./data-error.ts";
import { imageExtensions } from "./decode.ts";
import type { LabelledFiles } from "./image-files.ts";

/** Image files by their class, in the order of the class names. */
export type FilesByClass = ReadonlyMap<string, readonly string[]>;

/** The names that a folder of one split may have. */
const splitFolders = {
  train: ["train", "training"],
  validation: ["validation", "val", "valid"],
  test: ["test", "testing"],
} as const;

export type SplitName = keyof typeof splitFolders;

/**
 * The image files of a folder by class. A folder a class (with folders inside if one likes), as Keras reads it; or, where
 * there are only files, Kaggle's flat names: `cat.12.jpg` is of the class `cat`. Throws a `DataError` for a class without
 * images, and where there is one class only.
 */
export function filesByClass(folder: string): FilesByClass {
  const entries = visible(folder);
  const folders = entries.filter((name) => statSync(join(folder, name)).isDirectory());
  const classes = folders.length === 0 ? flatClasses(folder, entries) : folderClasses(folder, folders);
  const names = [...classes.keys()];
  if (names.length === 0) {
    throw new DataError(
      `${folder} holds no images; expected a folder for each class with ${imageExtensions.join(", ")} files`,
    );
  }
  const empty = names.filter((name) => classes.get(name)!.length === 0);
  if (empty.length > 0) {
    throw new DataError(
      `${empty.map((name) => join(folder, name)).join(", ")} holds no images (${imageExtensions.join(", ")}); ` +
        "add some to the class or remove its folder",
    );
  }
  if (names.length === 1) {
    throw new DataError(`${folder} has one class only (${names[0]}); to tell apart there must be at least two folders`);
  }
  return classes;
}

/** The files in one list, those of the first class first, with the class index of each. */
export function labelled(name: string, classes: FilesByClass): LabelledFiles {
  const names = [...classes.keys()];
  return {
    name,
    classes: names,
    files: names.flatMap((each) => classes.get(each)!),
    labels: names.flatMap((each, label) => classes.get(each)!.map(() => label)),
  };
}

/** The split folders that are in `folder`, if `train` is among them. */
export function splitFoldersOf(folder: string): Partial<Record<SplitName, string>> | undefined {
  const found = Object.fromEntries(
    Object.entries(splitFolders).flatMap(([split, names]) => {
      const name = names.find((each) => existsSync(join(folder, each)) && statSync(join(folder, each)).isDirectory());
      return name === undefined ? [] : [[split, join(folder, name)]];
    }),
  ) as Partial<Record<SplitName, string>>;
  return found.train === undefined ? undefined : found;
}

/** Files in the order of the numbers in their names: `cat.2.jpg` before `cat.10.jpg`. */
export function inNumberOrder(files: readonly string[]): string[] {
  const { compare } = new Intl.Collator("en", { numeric: true });
  return files.toSorted(compare);
}

function folderClasses(folder: string, names: readonly string[]): Map<string, string[]> {
  return new Map(names.toSorted(byCode).map((name) => [name, imagesUnder(join(folder, name))]));
}

function flatClasses(folder: string, names: readonly string[]): Map<string, string[]> {
  const classes = new Map<string, string[]>();
  for (const name of inNumberOrder(names.filter(isImage))) {
    const label = /^(.+?)[._-]\d+\.\w+$/.exec(name)?.[1];
    if (label === undefined) continue;
    classes.set(label, [...(classes.get(label) ?? []), join(folder, name)]);
  }
  return new Map([...classes].toSorted(([a], [b]) => byCode(a, b)));
}

/** Every image in a folder and those inside it, ordered as Keras orders them: by the path's characters. */
function imagesUnder(folder: string): string[] {
  const found = readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.isDirectory() && isImage(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  return found.toSorted((a, b) => byCode(relative(folder, a), relative(folder, b)));
}

function visible(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => !name.startsWith("."));
  } catch (error) {
    throw new DataError(`${folder} cannot be read: ${reasonOf(error)}`);
  }
}

function isImage(name: string): boolean {
  return !name.startsWith(".") && imageExtensions.includes(extname(name).toLowerCase());
}

function byCode(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
