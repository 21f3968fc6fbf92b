import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";

import { cacheFolder, makeCache } from "./cache.ts";
import { compileAddon, requireCompiler } from "./compile-addon.ts";
import {
  engineFolder,
  findInstalled,
  manifestFile,
  type InstallableEngine,
  type InstalledEngine,
} from "./installed.ts";
import { withLock } from "./lock.ts";
import { fetchWheel } from "./pip.ts";
import { cachedAddon, placeAddon } from "./place-addon.ts";
import { libraryNames, platformOf } from "./platform.ts";
import { describeTfjsNode, findTfjsNode, hasOwnAddon, packageNames, type TfjsNode } from "./tfjs-node.ts";
import { provideTfjsNode } from "./tfjs-node-copy.ts";
import { extractHeaders, openArchive } from "./unpack.ts";
import { nativeWheels, tensorflowVersion, wheelFile, type Wheel } from "./wheels.ts";

/** What tfjs-node's source includes of TensorFlow. */
const headers = ["tensorflow/c/c_api.h", "tensorflow/c/eager/c_api.h", "tensorflow/core/platform/ctstring_internal.h"];

/** A step of an install, told as it begins; a download tells its bytes as they come. */
export interface InstallProgress {
  step: "wait" | "download" | "unpack" | "compile" | "tfjs-node" | "done";
  message: string;
  bytes?: number;
  total?: number;
}

/** How to install. */
export interface InstallOptions {
  gpu?: boolean;
  onProgress?: (progress: InstallProgress) => void;
  /** Ends the install early; nothing half-done is left. */
  signal?: AbortSignal;
}

/**
 * Provides a current TensorFlow for tfjs-node in the user's cache: libraries out of TensorFlow's official wheel, and
 * tfjs-node's own addon compiled against them. Where both are there already it only checks that, in milliseconds.
 * Throws an EngineError that says what is missing.
 */
export async function installEngine({
  gpu = false,
  onProgress = () => {},
  signal,
}: InstallOptions = {}): Promise<InstalledEngine> {
  const engine = gpu ? "gpu" : "native";
  const platform = platformOf();
  const cache = cacheFolder();
  await makeCache(cache);
  return withLock(
    cache,
    `install-${engine}`,
    async (signal) => {
      await removeLeftovers(engineFolder(engine, tensorflowVersion, platform, cache));
      const tfjsNode = findTfjsNode(engine) ?? (await copyOfTfjsNode(engine, cache, onProgress, signal));
      const installed =
        (await findInstalled(engine, tensorflowVersion, cache)) ??
        (await installLibraries(engine, cache, onProgress, signal));
      await installAddon(installed, tfjsNode, onProgress, signal);
      if (!hasOwnAddon(tfjsNode)) await placeAddon(installed, tfjsNode);
      onProgress({ step: "done", message: `TensorFlow ${installed.tensorflow} is ready in ${installed.folder}.` });
      return installed;
    },
    { signal, onWait: () => onProgress({ step: "wait", message: "Another install is at work; waiting for it." }) },
  );
}

async function copyOfTfjsNode(
  engine: InstallableEngine,
  cache: string,
  onProgress: (progress: InstallProgress) => void,
  signal: AbortSignal,
): Promise<TfjsNode> {
  onProgress({
    step: "tfjs-node",
    message: `This project has no ${packageNames[engine]}; npm brings a copy into the cache.`,
  });
  return describeTfjsNode(await provideTfjsNode(engine, cache, signal));
}

async function installLibraries(
  engine: InstallableEngine,
  cache: string,
  onProgress: (progress: InstallProgress) => void,
  signal: AbortSignal,
): Promise<InstalledEngine> {
  // Better to hear of a missing compiler before a large download than after it.
  await requireCompiler();
  const platform = platformOf();
  const wheels = nativeWheels[platform];
  const folder = engineFolder(engine, tensorflowVersion, platform, cache);
  const partial = `${folder}.partial-${process.pid}`;
  try {
    await mkdir(partial, { recursive: true });
    for (const wheel of wheels) {
      const file = await download(wheel, path.join(partial, "wheels"), onProgress, signal);
      onProgress({ step: "unpack", message: `Unpacking ${wheelFile(wheel)}.` });
      await unpackTensorflow(file, partial, platform, signal);
      await rm(path.join(partial, "wheels"), { recursive: true, force: true });
    }
    const installed: InstalledEngine = {
      engine,
      tensorflow: tensorflowVersion,
      platform,
      folder,
      wheels: wheels.map((wheel) => ({ file: wheelFile(wheel), sha256: wheel.sha256 })),
      libraryFolders: [],
    };
    await writeFile(path.join(partial, manifestFile), `${JSON.stringify(installed, undefined, 2)}\n`);
    signal.throwIfAborted();
    await rename(partial, folder);
    return installed;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function download(
  wheel: Wheel,
  folder: string,
  onProgress: (progress: InstallProgress) => void,
  signal: AbortSignal,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const message = `Downloading ${wheelFile(wheel)}.`;
  onProgress({ step: "download", message, bytes: 0, total: wheel.bytes });
  return fetchWheel(wheel, folder, {
    signal,
    onBytes: (bytes) =>
      onProgress({ step: "download", message, bytes: Math.min(bytes, wheel.bytes), total: wheel.bytes }),
  });
}

async function unpackTensorflow(
  wheel: string,
  folder: string,
  platform: InstalledEngine["platform"],
  signal: AbortSignal,
): Promise<void> {
  const archive = await openArchive(wheel);
  try {
    for (const name of Object.values(libraryNames(platform))) {
      await archive.extract(`tensorflow/${name}`, path.join(folder, "lib", name), signal);
    }
    await extractHeaders(archive, "tensorflow/include/", headers, path.join(folder, "include"));
  } finally {
    archive.close();
  }
}

/** Compiles the addon for this tfjs-node, unless the cache has it; it appears there by one rename. */
async function installAddon(
  installed: InstalledEngine,
  tfjsNode: TfjsNode,
  onProgress: (progress: InstallProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  const output = cachedAddon(installed, tfjsNode);
  if (existsSync(output)) return;
  onProgress({ step: "compile", message: `Compiling the addon of tfjs-node ${tfjsNode.version}.` });
  const partial = `${output}.partial-${process.pid}`;
  const libraries = path.join(installed.folder, "lib");
  try {
    await compileAddon(
      {
        platform: installed.platform,
        tfjsNode: tfjsNode.folder,
        include: path.join(installed.folder, "include"),
        libraries,
        runtimeFolders: [libraries, ...installed.libraryFolders.map((folder) => path.join(installed.folder, folder))],
        napi: tfjsNode.napi,
        output: partial,
      },
      signal,
    );
    await rename(partial, output);
  } finally {
    await rm(partial, { force: true });
  }
}

/** What an install that was killed left beside the engine's folder; called under the lock, so nobody is at work there. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(path.dirname(folder))) {
    if (name.startsWith(`${path.basename(folder)}.partial-`))
      await rm(path.join(path.dirname(folder), name), { recursive: true, force: true });
  }
}
