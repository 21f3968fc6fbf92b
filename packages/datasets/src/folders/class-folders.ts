import { DataError } from "../data-error.ts";
import type { SkippedImage } from "../dataset/dataset.ts";
import { imageExtensions } from "../images/image-format.ts";
import { byCodePoint, className } from "./class-names.ts";
import type { FileTree } from "./file-tree.ts";
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
export function filesByClass(tree: FileTree, folder: string): ClassFolders {
  const entries = tree.names(folder);
  const folders = entries.filter((name) => tree.isFolder(tree.join(folder, name)));
  const found =
    folders.length === 0 ? flatClasses(tree, folder, entries) : folderClasses(tree, folder, folders, entries);
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
      `${empty.map((name) => tree.join(folder, name)).join(", ")} holds no images (${imageExtensions.join(", ")}); ` +
        "add some to the class or remove its folder",
    );
  }
  if (names.length === 1) {
    throw new DataError(`${folder} has one class only (${names[0]}); to tell apart there must be at least two folders`);
  }
  return found;
}

/** All files in one list, ordered by class, with the class index of each. */
export function labelled(tree: FileTree, name: string, { classes, leftOut, notes }: ClassFolders): LabelledFiles {
  const names = [...classes.keys()];
  return {
    name,
    classes: names,
    files: names.flatMap((each) => classes.get(each)!),
    labels: names.flatMap((each, label) => classes.get(each)!.map(() => label)),
    leftOut,
    notes,
    contents: tree.contents,
  };
}

/** Every image in a folder and the folders inside it, except hidden ones. */
export function imagesUnder(tree: FileTree, folder: string): string[] {
  const entries = tree.names(folder).toSorted(byCodePoint);
  const folders = entries.filter((name) => tree.isFolder(tree.join(folder, name)));
  const files = entries.filter((name) => !folders.includes(name)).map((name) => tree.join(folder, name));
  return [
    ...files.filter(tree.isImage),
    ...folders.flatMap((name) => tree.filesUnder(tree.join(folder, name)).filter(tree.isImage)),
  ];
}

/** The split folders in `folder`, if one of them is `train` and `train` is not a class. */
export function splitFoldersOf(tree: FileTree, folder: string): Partial<Record<SplitName, string>> | undefined {
  const found = Object.fromEntries(
    Object.entries(splitFolders).flatMap(([split, names]) => {
      const name = names.find((each) => tree.isFolder(tree.join(folder, each)));
      return name === undefined ? [] : [[split, tree.join(folder, name)]];
    }),
  ) as Partial<Record<SplitName, string>>;
  if (found.train === undefined) return undefined;
  // Beside folders such as `cars` and `buses`, `train` is a class.
  const isOneOfMany =
    Object.keys(found).length === 1 && tree.names(folder).some((name) => isOther(tree, folder, name, found));
  return isOneOfMany && !holdsClasses(tree, found.train) ? undefined : found;
}

function isOther(tree: FileTree, folder: string, name: string, { train }: Partial<Record<SplitName, string>>): boolean {
  const path = tree.join(folder, name);
  return path !== train && tree.isFolder(path);
}

function holdsClasses(tree: FileTree, folder: string): boolean {
  const entries = tree.names(folder);
  return (
    entries.some((name) => tree.isFolder(tree.join(folder, name))) ||
    flatClasses(tree, folder, entries).classes.size > 1
  );
}

/** Sorts files by the numbers in their names: `cat.2.jpg` comes before `cat.10.jpg`. */
export function inNumberOrder(files: readonly string[]): string[] {
  const { compare } = new Intl.Collator("en", { numeric: true });
  return files.toSorted(compare);
}

function folderClasses(
  tree: FileTree,
  folder: string,
  names: readonly string[],
  entries: readonly string[],
): ClassFolders {
  const classes = new Map<string, string[]>();
  const leftOut: SkippedImage[] = [];
  const notes: string[] = [];
  for (const name of entries.filter((each) => !names.includes(each))) {
    const file = tree.join(folder, name);
    if (tree.isImage(file))
      leftOut.push({ file, reason: "it lies beside the class folders, so its class is not known" });
  }
  const named = names.map((name) => ({ name, label: className(name) }));
  for (const { name, label } of named.toSorted(
    (a, b) => byCodePoint(a.label, b.label) || byCodePoint(a.name, b.name),
  )) {
    const files = tree.filesUnder(tree.join(folder, name));
    const images = files.filter(tree.isImage);
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

function flatClasses(tree: FileTree, folder: string, names: readonly string[]): ClassFolders {
  const classes = new Map<string, string[]>();
  const leftOut: SkippedImage[] = [];
  for (const name of inNumberOrder(names)) {
    const file = tree.join(folder, name);
    if (!tree.isImage(file)) {
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
  return `it is no image: its name ends in "${/[^/\\](\.[^./\\]*)$/.exec(file)?.[1] ?? ""}", and it starts as no known image does`;
}
