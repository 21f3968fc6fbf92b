import { readdirSync, statSync } from "node:fs";
import { basename, dirname, extname, join, relative, sep } from "node:path";
import { DataError, reasonOf } from "../data-error.ts";
import { imageExtensions } from "../images/decode.ts";
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
  const folders = entries.filter((name) => isFolder(join(folder, name)));
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

/**
 * Every image in a folder and those inside it, hidden ones left out. Links to folders are followed where they lie in `folder`
 * itself, as those to class folders are.
 */
export function imagesIn(folder: string): string[] {
  const entries = visible(folder).toSorted(byCode);
  const folders = entries.filter((name) => isFolder(join(folder, name)));
  const files = entries.filter((name) => isImage(name) && !folders.includes(name));
  return [...files.map((name) => join(folder, name)), ...folders.flatMap((name) => imagesUnder(join(folder, name)))];
}

/** The split folders that are in `folder`, if `train` is among them and no class of its own. */
export function splitFoldersOf(folder: string): Partial<Record<SplitName, string>> | undefined {
  const found = Object.fromEntries(
    Object.entries(splitFolders).flatMap(([split, names]) => {
      const name = names.find((each) => isFolder(join(folder, each)));
      return name === undefined ? [] : [[split, join(folder, name)]];
    }),
  ) as Partial<Record<SplitName, string>>;
  if (found.train === undefined) return undefined;
  // Among cars and buses, a folder of pictures of trains.
  const isOneOfMany = Object.keys(found).length === 1 && visible(folder).some((name) => isOther(folder, name, found));
  return isOneOfMany && !holdsClasses(found.train) ? undefined : found;
}

function isOther(folder: string, name: string, { train }: Partial<Record<SplitName, string>>): boolean {
  const path = join(folder, name);
  return path !== train && isFolder(path);
}

function holdsClasses(folder: string): boolean {
  const entries = visible(folder);
  return entries.some((name) => isFolder(join(folder, name))) || flatClasses(folder, entries).size > 1;
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

/** Every image in a folder and those inside it, ordered as Keras orders them: by the folder's characters, then the name's. */
function imagesUnder(folder: string): string[] {
  const found = readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.isDirectory() && isImage(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !isHidden(relative(folder, file)));
  return found.toSorted((a, b) => byCode(dirname(a), dirname(b)) || byCode(basename(a), basename(b)));
}

function visible(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => !name.startsWith("."));
  } catch (error) {
    throw new DataError(`${folder} cannot be read: ${reasonOf(error)}`);
  }
}

/** Whether a part of a path begins with a dot, as the folders do in which Jupyter and macOS keep copies. */
function isHidden(path: string): boolean {
  return path.split(sep).some((part) => part.startsWith("."));
}

/** Whether there is a folder, or a link to one that is there. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function isImage(name: string): boolean {
  return !name.startsWith(".") && imageExtensions.includes(extname(name).toLowerCase());
}

function byCode(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
