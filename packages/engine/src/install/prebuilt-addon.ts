import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import type { InstalledEngine } from "./installed.ts";
import type { TfjsNode } from "./tfjs-node.ts";
import type { Platform } from "../machine/platform.ts";

/**
 * The library folder that prebuilt addons are linked with. It exists nowhere: an install replaces it in the file by the
 * folders of the engine, which a package cannot know. Its length is the room for them.
 */
export const folderPlaceholder = "/convkit-replaces-this-by-the-folders-of-tensorflow/".padEnd(4096, "x");

/** The file of a prebuilt addon in its platform's package. */
export function prebuiltFile({ version, napi }: Pick<TfjsNode, "version" | "napi">): string {
  return `tfjs-node-${version}-napi-v${napi}.node`;
}

/** The file of the prebuilt addon for a tfjs-node; undefined if this platform's package is not there or is another's. */
export function findPrebuilt(
  platform: Platform,
  tensorflow: string,
  tfjsNode: Pick<TfjsNode, "version" | "napi">,
): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve(`@convkit/engine-${platform}/package.json`);
    const built = JSON.parse(readFileSync(manifest, "utf8")) as { tensorflow?: string };
    const file = path.join(path.dirname(manifest), prebuiltFile(tfjsNode));
    return built.tensorflow === tensorflow && existsSync(file) ? file : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Writes the prebuilt addon to `output`, with the engine's library folders in it; false if there is none, or no room
 * for the folders.
 */
export async function writePrebuilt(installed: InstalledEngine, tfjsNode: TfjsNode, output: string): Promise<boolean> {
  const file = findPrebuilt(installed.platform, installed.tensorflow, tfjsNode);
  const folders = installed.libraryFolders.map((folder) => path.join(installed.folder, folder)).join(":");
  const addon = file === undefined ? undefined : withFolders(await readFile(file), folders);
  if (addon === undefined) return false;
  await mkdir(path.dirname(output), { recursive: true });
  await writeFile(output, addon, { mode: 0o755 });
  return true;
}

/** The addon with `folders` in the placeholder's place; undefined if they do not fit. */
export function withFolders(addon: Buffer, folders: string): Buffer | undefined {
  const text = Buffer.from(folders);
  const place = addon.indexOf(folderPlaceholder);
  if (place < 0 || text.length > folderPlaceholder.length) return undefined;
  const changed = Buffer.from(addon);
  changed.fill(0, place, place + folderPlaceholder.length);
  text.copy(changed, place);
  return changed;
}
