import { rm } from "node:fs/promises";
import path from "node:path";

import { cacheRoot, withLock } from "@convkit/files";

import { installLock, listEngines, manifestFile } from "./installed.ts";
import { tfjsNodeCopyRoot } from "./tfjs-node-copy.ts";

/** Removes one kind of engine from the cache, all versions; returns the folders that went. Waits for an install at work. */
export async function removeEngine({
  gpu = false,
  cache = cacheRoot(),
}: { gpu?: boolean; cache?: string } = {}): Promise<string[]> {
  const kind = gpu ? "gpu" : "native";
  const engines = (await listEngines({ cache })).filter(({ engine }) => engine === kind);
  if (engines.length === 0) return [];
  await withLock(installLock(cache, kind), async () => {
    for (const { folder } of engines) {
      // The manifest goes first: what is left by an interruption is no engine.
      await rm(path.join(folder, manifestFile), { force: true });
      await rm(folder, { recursive: true, force: true });
    }
    await rm(tfjsNodeCopyRoot(kind, cache), { recursive: true, force: true });
  });
  return engines.map(({ folder }) => folder);
}
