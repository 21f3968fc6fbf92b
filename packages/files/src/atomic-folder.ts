import { existsSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { errnoOf, FileError, unwritable } from "./file-error.ts";
import { makeFolders, removeEmpty } from "./make-folder.ts";
import { temporaryName } from "./temporary-name.ts";
import { undoAtExit } from "./until-exit.ts";

/**
 * Fills a folder beside `path`, which then takes the place of `path` whole or not at all. Makes missing folders above it. A process
 * that exits meanwhile leaves what was there before. Between the two renames that replace an older folder a crash leaves both under
 * temporary names: `finalName` tells whose they are.
 * Throws a FileError that names `path` where the disk refuses or a file has that name, and what `fill` throws.
 */
export async function writeFolderAtomic(path: string, fill: (folder: string) => void | Promise<void>): Promise<void> {
  const target = resolve(path);
  const there = await stat(target).catch(() => undefined);
  if (there !== undefined && !there.isDirectory())
    throw new FileError(path, "cannot be written (EEXIST): a file has that name; remove it, or choose another place.", {
      errno: "EEXIST",
    });
  const [temporary, old] = [temporaryName(target), temporaryName(target)];
  const made = await makeFolders(dirname(target)).catch((error: unknown) => {
    throw unwritable(path, error);
  });
  let isFilled = false;
  const settled = undoAtExit(() => {
    // The renames may be under way: nothing that has its final name is touched.
    if (isFilled && existsSync(old) && !existsSync(target)) renameSync(old, target);
    if (isFilled) return;
    rmSync(temporary, { recursive: true, force: true });
    for (const folder of made) rmdirSync(folder);
  });
  try {
    await mkdir(temporary);
    await fill(temporary);
    isFilled = true;
    const replaces = await moveAway(target, old);
    await rename(temporary, target).catch(async (error: unknown) => {
      if (replaces) await rename(old, target);
      throw error;
    });
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    await removeEmpty(made);
    const isInside = error instanceof FileError && error.path.startsWith(temporary);
    throw isInside || errnoOf(error) !== undefined ? unwritable(path, error) : error;
  } finally {
    settled();
  }
  await rm(old, { recursive: true, force: true });
}

/** Renames what is there; false where nothing is. */
async function moveAway(path: string, to: string): Promise<boolean> {
  try {
    await rename(path, to);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}
