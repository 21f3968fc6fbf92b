import { mkdir, readdir, stat } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import process from "node:process";

import { EngineError } from "../engine-error.ts";

/** The per-user folder that engines are kept in: `CONVKIT_CACHE`, else the platform's own place for caches. */
export function cacheFolder(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  if (env["CONVKIT_CACHE"]) return path.resolve(env["CONVKIT_CACHE"]);
  if (env["XDG_CACHE_HOME"]) return path.join(env["XDG_CACHE_HOME"], "convkit");
  const home = env["HOME"] ?? os.homedir();
  return platform === "darwin" ? path.join(home, "Library", "Caches", "convkit") : path.join(home, ".cache", "convkit");
}

/** Makes the folder; throws an EngineError that names it where that is not possible. */
export async function makeCache(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new EngineError(
      `The cache folder ${folder} cannot be written (${(error as NodeJS.ErrnoException).code}): set CONVKIT_CACHE to a folder that you may write to.`,
    );
  }
}

/** The bytes of all files below a folder; 0 where there is none. */
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

/** The bytes of what this package keeps in the cache; other packages may keep their own things beside it. */
export async function engineBytes(cache: string): Promise<number> {
  const names = await readdir(cache).catch(() => []);
  const ours = names.filter((name) => /^(engine-|tfjs-node)/.test(name));
  const sizes = await Promise.all(ours.map((name) => folderBytes(path.join(cache, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}
