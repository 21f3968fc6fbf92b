import { existsSync, readdirSync } from "node:fs";
import { copyFile, link, mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { makeFolder, writeFolderAtomic } from "@convkit/files";
import { filesByClass } from "./class-folders.ts";
import type { SplitName } from "./class-folders.ts";
import { folderName } from "./class-names.ts";
import { diskTree } from "./disk-tree.ts";
import { DataError } from "../data-error.ts";
import { checkNames } from "../images/decode-options.ts";
import { checkRanges, filesInRange } from "./folders-of-classes.ts";
import type { Ranges } from "./folders-of-classes.ts";

export interface SubsetOptions {
  /** Links the files instead of copying them, if the file system supports it; false by default. */
  readonly link?: boolean | undefined;
}

export interface SubsetResult {
  readonly folder: string;
  /** The number of files of each split. */
  readonly files: Readonly<Partial<Record<SplitName, number>>>;
}

/**
 * Makes a smaller data set: copies the images in each range of each class of `source` (class folders, or Kaggle's flat
 * `cat.N.jpg`) to `target/<split>/<class>/`. The notebook's call is `subset("train", "cats_vs_dogs_small", { train: [0,
 * 1000], validation: [1000, 1500], test: [1500, 2500] })`. Throws a `DataError` if a class has too few images, ranges
 * overlap, or the target is not empty, and a `FileError` where the target cannot be written, which is then empty as before.
 */
export async function subset(
  source: string,
  target: string,
  ranges: Ranges,
  options: SubsetOptions = {},
): Promise<SubsetResult> {
  checkNames("subset", options, { link: true });
  const { classes } = filesByClass(diskTree, source);
  const splits = Object.entries(ranges) as [SplitName, readonly [number, number]][];
  if (splits.length === 0) throw new DataError("A subset needs a range for at least one of train, validation and test");
  checkRanges(ranges);
  // The numbers in the names count, as in the notebook: cat.1000.jpg is image 1000 even if cat.7.jpg is missing.
  const chosen = splits.map(
    ([split, range]) => [split, filesNumbered(classes, range) ?? filesInRange(classes, range)] as const,
  );
  if (existsSync(target) && readdirSync(target).length > 0) {
    throw new DataError(`${target} is there already and not empty; name a new folder or remove it`);
  }
  await makeFolder(target);
  const files: Partial<Record<SplitName, number>> = {};
  try {
    for (const [split, byClass] of chosen) {
      await writeFolderAtomic(join(target, split), async (inside) => {
        for (const [name, paths] of byClass) {
          const folder = join(inside, folderName(name));
          await mkdir(folder);
          for (const path of paths) await place(path, join(folder, basename(path)), options);
        }
      });
      files[split] = [...byClass.values()].reduce((sum, paths) => sum + paths.length, 0);
    }
  } catch (error) {
    for (const [split] of chosen) await rm(join(target, split), { recursive: true, force: true });
    throw error;
  }
  return { folder: target, files };
}

/** The files `class.N.ext` of each class with N in the range; undefined if any file has another name. */
function filesNumbered(
  classes: ReadonlyMap<string, readonly string[]>,
  [from, to]: readonly [number, number],
): ReadonlyMap<string, readonly string[]> | undefined {
  const chosen = new Map<string, string[]>();
  for (const [name, paths] of classes) {
    const numbers = new Map(paths.map((path) => [Number(/[._-](\d+)\.\w+$/.exec(basename(path))?.[1]), path]));
    if (numbers.has(Number.NaN) || numbers.size < paths.length) return undefined;
    const missing = Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i).filter(
      (number) => !numbers.has(number),
    );
    if (missing.length > 0) {
      throw new DataError(
        `Class ${name} has ${paths.length} images, but of the range ${from}:${to} it lacks ${missing.length}, number ${missing[0]} first`,
      );
    }
    chosen.set(
      name,
      Array.from({ length: to - from }, (_, i) => numbers.get(from + i)!),
    );
  }
  return chosen;
}

async function place(from: string, to: string, { link: linked = false }: SubsetOptions): Promise<void> {
  if (linked) {
    try {
      return await link(from, to);
    } catch {
      // The two folders are on different file systems, so the file is copied.
    }
  }
  return copyFile(from, to);
}
