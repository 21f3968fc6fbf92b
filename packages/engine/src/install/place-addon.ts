import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";

import { FileError, writeFileAtomic } from "@convkit/files";

import { EngineError } from "../engine-error.ts";
import type { InstalledEngine } from "./installed.ts";
import type { TfjsNode } from "./tfjs-node.ts";

/**
 * The addon in the cache for this tfjs-node. It depends on tfjs-node's version and Node-API, and on the engine's
 * folder, whose path is written into it: after the cache moves, the addon must be compiled again.
 */
export function cachedAddon(installed: InstalledEngine, { version, napi }: Pick<TfjsNode, "version" | "napi">): string {
  const place = createHash("sha256").update(installed.folder).digest("hex").slice(0, 8);
  return path.join(installed.folder, "addon", `tfjs-node-${version}-napi-v${napi}-${place}`, "tfjs_binding.node");
}

/**
 * Copies the compiled addon to where tfjs-node looks for it, if it is missing there: a package manager may have
 * replaced the folder.
 */
export async function placeAddon(installed: InstalledEngine, tfjsNode: TfjsNode): Promise<void> {
  const wanted = await readFile(cachedAddon(installed, tfjsNode));
  const present = await readFile(tfjsNode.addon).catch(() => undefined);
  if (present?.equals(wanted)) return;
  try {
    await writeFileAtomic(tfjsNode.addon, wanted);
  } catch (error) {
    const reason = error instanceof FileError ? error.errno : String(error);
    throw new EngineError(
      `tfjs-node's addon cannot be put into ${path.dirname(tfjsNode.addon)} (${reason}): make that folder writable once.`,
      { cause: error },
    );
  }
}
