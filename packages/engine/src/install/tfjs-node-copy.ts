import { existsSync } from "node:fs";
import { readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { writeFolderAtomic } from "@convkit/files";

import { runChild } from "./child.ts";
import { EngineError } from "../engine-error.ts";
import type { InstallableEngine } from "./installed.ts";
import { packageNames } from "./tfjs-node.ts";

/** The version of tfjs-node that is fetched for a project without tfjs-node. */
export const tfjsNodeVersion = "4.22.0";

/** The Node-API of its addon on every Node that convkit runs on. */
export const tfjsNodeNapi = 8;

/**
 * The folder in the cache that holds tfjs-node and its dependencies, for projects that have no tfjs-node themselves.
 */
export function tfjsNodeCopyRoot(engine: InstallableEngine, cache: string): string {
  return path.join(cache, `${path.basename(packageNames[engine])}-${tfjsNodeVersion}`);
}

/** The folder of the copy of tfjs-node in the cache, if there is one. */
export function findTfjsNodeCopy(engine: InstallableEngine, cache: string): string | undefined {
  const folder = path.join(tfjsNodeCopyRoot(engine, cache), "node_modules", packageNames[engine]);
  return existsSync(path.join(folder, "package.json")) ? folder : undefined;
}

/**
 * Puts a copy of tfjs-node into the cache with npm's own client, without running its install script (which downloads a
 * TensorFlow of 2022 and fails behind firewalls). Returns its folder; throws an EngineError.
 */
export async function provideTfjsNode(engine: InstallableEngine, cache: string, signal?: AbortSignal): Promise<string> {
  const present = findTfjsNodeCopy(engine, cache);
  if (present) return present;
  const root = tfjsNodeCopyRoot(engine, cache);
  const name = `${packageNames[engine]}@${tfjsNodeVersion}`;
  await writeFolderAtomic(root, async (inside) => {
    await writeFile(path.join(inside, "package.json"), '{ "private": true }\n');
    const install = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", name];
    const { code, output } = await runChild("npm", install, { signal, cwd: inside });
    if (code === undefined)
      throw new EngineError(
        `${name} is fetched by npm, and no npm was found on the PATH: install it, or add ${packageNames[engine]} to your project.`,
      );
    if (code !== 0) {
      const reason = /npm (?:error|ERR!) (?!code)(.+)/.exec(output)?.[1] ?? "npm gave no reason";
      throw new EngineError(
        `npm could not fetch ${name} (${reason}): check the network or npm's registry settings, or add ${packageNames[engine]} to your project.`,
      );
    }
    await removeSourceMaps(inside);
  });
  return path.join(root, "node_modules", packageNames[engine]);
}

/** Two thirds of the copy are source maps. */
async function removeSourceMaps(folder: string): Promise<void> {
  const files = await readdir(folder, { recursive: true });
  await Promise.all(files.filter((name) => name.endsWith(".map")).map((name) => rm(path.join(folder, name))));
}
