import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, extname, join, relative, sep } from "node:path";
import { DataError, reasonOf } from "../data-error.ts";
import { imageExtensions, imageFormat, signatureBytes } from "../images/image-format.ts";
import { imagesUnder } from "./class-folders.ts";
import { byCodePoint } from "./class-names.ts";
import type { FileTree } from "./file-tree.ts";

/** The folders of the disk. */
export const diskTree: FileTree = {
  join,
  names: visible,
  isFolder,
  filesUnder,
  isImage: (file) => imageExtensions.includes(extname(file).toLowerCase()) || startsAsImage(file),
  async text(file) {
    try {
      return await readFile(file, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw new DataError(`${file} cannot be read: ${reasonOf(error)}`);
    }
  },
};

/**
 * Every image in a folder and the folders inside it, except hidden ones. Links to folders are followed if they lie in
 * `folder` itself, like links to class folders.
 */
export function imagesIn(folder: string): string[] {
  return imagesUnder(diskTree, folder);
}

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
