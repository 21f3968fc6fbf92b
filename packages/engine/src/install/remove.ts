import { readdir, rm } from "node:fs/promises";
import path from "node:path";

import { checkOptions, type OptionNames } from "@convkit/errors";
import { cacheRoot, withLock } from "@convkit/files";

import { EngineError } from "../engine-error.ts";
import { installLock, isEngineFolder, manifestFile } from "./installed.ts";
import { wheelFolder } from "./libraries.ts";
import { tfjsNodeCopyRoot } from "./tfjs-node-copy.ts";

/** Options of `removeEngine`. */
export interface RemoveOptions {
  /** Removes the CUDA build instead of the CPU build; false by default. */
  readonly gpu?: boolean | undefined;
  /** The cache folder; convkit's own by default. */
  readonly cache?: string | undefined;
}

const optionNames: OptionNames<RemoveOptions> = { gpu: true, cache: true };

/** Removes all versions of one kind of engine from the cache and returns their folders. Waits for a running install. */
export async function removeEngine(options: RemoveOptions = {}): Promise<string[]> {
  checkOptions("removeEngine", options, optionNames, (message) => new EngineError(message));
  const { gpu = false, cache = cacheRoot() } = options;
  const kind = gpu ? "gpu" : "native";
  // A damaged manifest does not hide the folder.
  const names = (await readdir(cache).catch(() => [])).filter((name) => isEngineFolder(name, kind));
  const folders = names.map((name) => path.join(cache, name));
  if (folders.length === 0) return [];
  await withLock(installLock(cache, kind), async () => {
    for (const folder of folders) {
      // The manifest goes first, so that an interrupted removal leaves no folder that counts as an engine.
      await rm(path.join(folder, manifestFile), { force: true });
      await rm(folder, { recursive: true, force: true });
    }
    for (const folder of [tfjsNodeCopyRoot(kind, cache), wheelFolder(kind, cache)])
      await rm(folder, { recursive: true, force: true });
  });
  return folders;
}
