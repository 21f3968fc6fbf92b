import { readdir, stat } from "node:fs/promises";
import path from "node:path";

import { FileError, makeFolder } from "@convkit/files";

import { EngineError } from "../engine-error.ts";

/** Makes the cache folder. Throws an EngineError that names the folder if it cannot be created. */
export async function makeCache(folder: string): Promise<void> {
  try {
    await makeFolder(folder);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new EngineError(`The cache folder ${folder} ${error.problem.replace(/\.$/, "")} (CONVKIT_CACHE names it).`, {
      cause: error,
    });
  }
}

/** The bytes of all files below a folder; 0 if it does not exist. */
export async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      stat(path.join(entry.parentPath, entry.name)).then(
        ({ size }) => size,
        () => 0,
      ),
    );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Bytes that this package uses in the cache. Files of other packages do not count. */
export async function engineBytes(cache: string): Promise<number> {
  const names = await readdir(cache).catch(() => []);
  const ours = names.filter((name) => /^(engine-|tfjs-node|openvino-)/.test(name));
  const sizes = await Promise.all(ours.map((name) => folderBytes(path.join(cache, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}
