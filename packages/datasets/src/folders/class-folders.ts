import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { basename, dirname, extname, join, relative, sep } from "node:path";
import { DataError, reasonOf } from "../data-error.ts";
import type { SkippedImage } from "../dataset/dataset.ts";
import { imageExtensions, imageFormat, signatureBytes } from "../images/image-format.ts";
import { byCodePoint, className } from "./class-names.ts";
import type { LabelledFiles } from "./image-files.ts";

/** Image files by their class, in the order of the class names. */
export type FilesByClass = ReadonlyMap<string, readonly string[]>;

/** The contents of a folder of classes. */
export interface ClassFolders {
  readonly classes: FilesByClass;
  /** The other files of its classes except hidden ones, each with the reason why it is not used. */
  readonly leftOut: readonly SkippedImage[];
  /** Surprising properties of the used files. */
  readonly notes: readonly string[];
}

/** The names that a folder of one split may have. */
const splitFolders = {
  train: ["train", "training"],
  validation: ["validation", "val", "valid"],
  test: ["test", "testing"],
} as const;

export type SplitName = keyof typeof splitFolders;

/**
 * Groups the image files of a folder by class. Each folder inside is a class and may contain further folders, as in
 * Keras. If there are only files, they must have Kaggle's names: `cat.12.jpg` is of the class `cat`. Throws a DataError
 * for a class without images, and if there is only one class.
 */
export function filesByClass(folder: string): ClassFolders {
  const entries = visible(folder);
  const folders = entries.filter((name) => isFolder(join(folder, name)));
  const found = folders.length === 0 ? flatClasses(folder, entries) : folderClasses(folder, folders, entries);
  const names = [...found.classes.keys()];
  if (names.length === 0) {
    const lies = entries.some((name) => imageExtensions.some((ending) => name.toLowerCase().endsWith(ending)));
    throw new DataError(
      `${folder} holds ${lies ? "images, but no folders of classes: move each image into a folder with the name of its class" : "no images"}; expected a folder for each class with ${imageExtensions.join(", ")} files`,
    );
  }
  const empty = names.filter((name) => found.classes.get(name)!.length === 0);
  if (empty.length > 0) {
    throw new DataError(
      `${empty.map((name) => join(folder, name)).join(", ")} holds no images (${imageExtensions.join(", ")}); ` +
        "add some to the class or remove its folder",
    );
  }
  if (names.length === 1) {
    throw new DataError(`${folder} has one class only (${names[0]}); to tell apart there must be at least two folders`);
  }
  return found;
}

/** All files in one list, ordered by class, with the class index of each. */
export function labelled(name: string, classes: FilesByClass, from?: Partial<ClassFolders>): LabelledFiles {
  const names = [...classes.keys()];
  return {
    name,
    classes: names,
    files: names.flatMap((each) => classes.get(each)!),
    labels: names.flatMap((each, label) => classes.get(each)!.map(() => label)),
    leftOut: from?.leftOut,
    notes: from?.notes,
  };
}

/**
 * Every image in a folder and the folders inside it, except hidden ones. Links to folders are followed if they lie in
 * `folder` itself, like links to class folders.
 */
export function imagesIn(folder: string): string[] {
  const entries = visible(folder).toSorted(byCodePoint);
  const folders = entries.filter((name) => isFolder(join(folder, name)));
  const files = entries.filter((name) => !folders.includes(name)).map((name) => join(folder, name));
  return [...files.filter(isImage), ...folders.flatMap((name) => filesUnder(join(folder, name)).filter(isImage))];
}

/** The split folders in `folder`, if one of them is `train` and `train` is not a class. */
export function splitFoldersOf(folder: string): Partial<Record<SplitName, string>> | undefined {
  const found = Object.fromEntries(
    Object.entries(splitFolders).flatMap(([split, names]) => {
      const name = names.find((each) => isFolder(join(folder, each)));
      return name === undefined ? [] : [[split, join(folder, name)]];
    }),
  ) as Partial<Record<SplitName, string>>;
  if (found.train === undefined) return undefined;
  // Beside folders such as `cars` and `buses`, `train` is a class.
  const isOneOfMany = Object.keys(found).length === 1 && visible(folder).some((name) => isOther(folder, name, found));
  return isOneOfMany && !holdsClasses(found.train) ? undefined : found;
}

function isOther(folder: string, name: string, { train }: Partial<Record<SplitName, string>>): boolean {
  const path = join(folder, name);
  return path !== train && isFolder(path);
}

function holdsClasses(folder: string): boolean {
  const entries = visible(folder);
  return entries.some((name) => isFolder(join(folder, name))) || flatClasses(folder, entries).classes.size > 1;
}

/** Sorts files by the numbers in their names: `cat.2.jpg` comes before `cat.10.jpg`. */
export function inNumberOrder(files: readonly string[]): string[] {
  const { compare } = new Intl.Collator("en", { numeric: true });
  return files.toSorted(compare);
}

function folderClasses(folder: string, names: readonly string[], entries: readonly string[]): ClassFolders {
  const classes = new Map<string, string[]>();
  const leftOut: SkippedImage[] = [];
  const notes: string[] = [];
  for (const name of entries.filter((each) => !names.includes(each))) {
    const file = join(folder, name);
    if (isImage(file)) leftOut.push({ file, reason: "it lies beside the class folders, so its class is not known" });
  }
  const named = names.map((name) => ({ name, label: className(name) }));
  for (const { name, label } of named.toSorted(
    (a, b) => byCodePoint(a.label, b.label) || byCodePoint(a.name, b.name),
  )) {
    const files = filesUnder(join(folder, name));
    const images = files.filter(isImage);
    const others = files.filter((file) => !images.includes(file));
    leftOut.push(...others.map((file) => ({ file, reason: notAnImage(file) })));
    const before = classes.get(label);
    if (before !== undefined) {
      notes.push(`${folder} has two folders named ${label}, in other Unicode forms; they are taken for one class`);
    }
    classes.set(label, [...(before ?? []), ...images]);
  }
  return { classes, leftOut, notes };
}

function flatClasses(folder: string, names: readonly string[]): ClassFolders {
  const classes = new Map<string, string[]>();
  const leftOut: SkippedImage[] = [];
  for (const name of inNumberOrder(names)) {
    const file = join(folder, name);
    if (!isImage(file)) {
      leftOut.push({ file, reason: notAnImage(file) });
      continue;
    }
    const label = /^(.+?)[._-]\d+\.\w+$/.exec(name)?.[1];
    if (label === undefined) {
      leftOut.push({ file, reason: "its name has no class and number, as cat.12.jpg has, so its class is not known" });
      continue;
    }
    const key = className(label);
    classes.set(key, [...(classes.get(key) ?? []), file]);
  }
  return { classes: new Map([...classes].toSorted(([a], [b]) => byCodePoint(a, b))), leftOut, notes: [] };
}

function notAnImage(file: string): string {
  return `it is no image: its name ends in "${extname(file)}", and it starts as no known image does`;
}

/**
 * Every file in a folder and the folders inside it, in Keras' order: by the code points of the folder's name, then of
 * the file's.
 */
function filesUnder(folder: string): string[] {
  const found = readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !isHidden(relative(folder, file)) && !isFolder(file));
  return found.toSorted((a, b) => byCodePoint(dirname(a), dirname(b)) || byCodePoint(basename(a), basename(b)));
}

function visible(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => !name.startsWith("."));
  } catch (error) {
    throw new DataError(`${folder} cannot be read: ${reasonOf(error)}`);
  }
}

/** True if a part of a path begins with a dot. Jupyter and macOS keep copies in such folders. */
function isHidden(path: string): boolean {
  return path.split(sep).some((part) => part.startsWith("."));
}

/** True for a folder, and for a link to an existing folder. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** True if the name has an image's extension; otherwise the first bytes decide. */
function isImage(file: string): boolean {
  return imageExtensions.includes(extname(file).toLowerCase()) || startsAsImage(file);
}

function startsAsImage(file: string): boolean {
  const start = new Uint8Array(signatureBytes);
  try {
    // Reading a pipe or a device would block the process.
    if (!statSync(file).isFile()) return false;
    const handle = openSync(file, "r");
    try {
      readSync(handle, start, 0, start.length, 0);
    } finally {
      closeSync(handle);
    }
  } catch {
    return false;
  }
  return imageFormat(start) !== undefined;
}
