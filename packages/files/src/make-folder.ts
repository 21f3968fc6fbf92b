import { mkdir, rmdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { errnoOf, unwritable } from "./file-error.ts";

/** Makes a folder and the folders above it where they are missing. Throws a FileError that says why that cannot be. */
export async function makeFolder(folder: string): Promise<void> {
  await makeFolders(folder);
}

/**
 * The same; returns the folders that it made, innermost first, for `removeEmpty`. One level after the other: Node's own
 * `recursive` answers ENOENT on a disk that is read-only.
 */
export async function makeFolders(folder: string): Promise<readonly string[]> {
  const target = resolve(folder);
  const missing: string[] = [];
  const made: string[] = [];
  try {
    for (let at = target; !(await isFolder(at)); at = dirname(at)) missing.push(at);
    for (const next of missing.toReversed()) {
      await mkdir(next).then(
        () => made.unshift(next),
        async (error: unknown) => {
          // Another process may have made it in the meantime.
          if (errnoOf(error) !== "EEXIST" || !(await isFolder(next))) throw error;
        },
      );
    }
    return made;
  } catch (error) {
    await removeEmpty(made);
    throw unwritable(folder, error);
  }
}

/** Removes folders that `makeFolders` made, as far as they are still empty. */
export async function removeEmpty(made: readonly string[]): Promise<void> {
  for (const folder of made) await rmdir(folder).catch(() => undefined);
}

/** True for a folder, also through a link; false where nothing has that name. Throws ENOTDIR where a file has it. */
async function isFolder(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
  throw Object.assign(new Error(`${path} is a file`), { code: "ENOTDIR" });
}
