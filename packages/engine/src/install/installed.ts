import { readFile, readdir } from "node:fs/promises";
import path from "node:path";

import { checkOptions, type OptionNames } from "@convkit/errors";
import { cacheRoot, finalName } from "@convkit/files";

import { EngineError } from "../engine-error.ts";
import { folderBytes } from "./cache.ts";
import { damageOf, type LibrarySizes } from "./library-damage.ts";
import { libraryNames, platformOf, type Platform } from "../machine/platform.ts";

/** The engines that `installEngine` provides. */
export type InstallableEngine = "gpu" | "native";

/** An engine in the cache. */
export interface InstalledEngine {
  engine: InstallableEngine;
  tensorflow: string;
  platform: Platform;
  folder: string;
  /** The wheels that the engine was unpacked from, with their checked hashes. */
  wheels: readonly { file: string; sha256: string }[];
  /** The folders with libraries, relative to the engine's folder: TensorFlow's own and CUDA's. */
  libraryFolders: readonly string[];
  /** Why the engine must not be loaded: a library that is missing or cut off, or the manifest of another engine. Missing where all is well. */
  damage?: string;
}

/** Every complete engine folder holds this file. */
export const manifestFile = "engine.json";

/** The folder of an engine in the cache, whether it exists or not. */
export function engineFolder(
  engine: InstallableEngine,
  tensorflow: string,
  platform: Platform,
  cache: string = cacheRoot(),
): string {
  return path.join(cache, `engine-${engine}-tensorflow-${tensorflow}-${platform}`);
}

/** True for the name of an engine's folder, of any version. Not for the temporary names of an install. */
export function isEngineFolder(name: string, engine: InstallableEngine): boolean {
  return name.startsWith(`engine-${engine}-tensorflow-`) && finalName(name) === undefined;
}

/** The engine of that kind and version in the cache, for this machine. */
export async function findInstalled(
  engine: InstallableEngine,
  tensorflow: string,
  cache: string = cacheRoot(),
): Promise<InstalledEngine | undefined> {
  try {
    const folder = engineFolder(engine, tensorflow, platformOf(), cache);
    return await readInstalled(folder);
  } catch {
    return undefined;
  }
}

/** What the manifest of a folder says. */
interface Manifest extends Omit<InstalledEngine, "folder" | "damage"> {
  /** Missing in manifests of earlier versions. */
  files?: LibrarySizes;
}

/** The manifest of an engine's folder, and whether its libraries are whole; undefined if the manifest is damaged. */
async function readInstalled(folder: string): Promise<InstalledEngine | undefined> {
  const manifest = parsedManifest(await readFile(path.join(folder, manifestFile), "utf8"));
  if (manifest === undefined) return undefined;
  const { engine, tensorflow, platform, wheels, libraryFolders, files = {} } = manifest;
  const stated = path.basename(engineFolder(engine, tensorflow, platform));
  const damage =
    stated === path.basename(folder) ? await damageOf(folder, files) : `its ${manifestFile} is that of ${stated}`;
  return { engine, tensorflow, platform, folder, wheels, libraryFolders, ...(damage !== undefined && { damage }) };
}

/** An engine's manifest; undefined if it is damaged: such an engine counts as not installed. */
function parsedManifest(text: string): Manifest | undefined {
  let found: Partial<Manifest> | null;
  try {
    found = JSON.parse(text) as Partial<Manifest> | null;
  } catch {
    return undefined;
  }
  const texts = [found?.engine, found?.tensorflow, found?.platform];
  const isWhole =
    texts.every((each) => typeof each === "string") &&
    Array.isArray(found?.wheels) &&
    Array.isArray(found.libraryFolders) &&
    found.libraryFolders.every((each) => typeof each === "string");
  return isWhole ? (found as Manifest) : undefined;
}

const listOptionNames: OptionNames<{ cache?: string }> = { cache: true };

/** The engines in the cache folder, with their sizes on disk. Those with a damaged manifest are left out. */
export async function listEngines(
  options: {
    /** The cache folder; convkit's own by default. */
    readonly cache?: string | undefined;
  } = {},
): Promise<(InstalledEngine & { bytes: number })[]> {
  checkOptions("listEngines", options, listOptionNames, (message) => new EngineError(message));
  const { cache = cacheRoot() } = options;
  const names = await readdir(cache).catch(() => []);
  const found = names.map(async (name) => {
    const folder = path.join(cache, name);
    const installed = await readInstalled(folder).catch(() => undefined);
    return installed === undefined ? [] : [{ ...installed, bytes: await folderBytes(folder) }];
  });
  return (await Promise.all(found)).flat();
}

/** The paths of an installed engine's two libraries. */
export function librariesOf({ folder, platform }: InstalledEngine): { cc: string; framework: string } {
  const { cc, framework } = libraryNames(platform);
  return { cc: path.join(folder, "lib", cc), framework: path.join(folder, "lib", framework) };
}
