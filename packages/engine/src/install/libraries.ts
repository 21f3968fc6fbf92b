import { rm, rmdir } from "node:fs/promises";
import path from "node:path";

import { FileError, writeFolderAtomic, writeJson } from "@convkit/files";

import { EngineError } from "../engine-error.ts";
import type { OnProgress } from "./progress.ts";
import { engineFolder, manifestFile, type InstallableEngine, type InstalledEngine } from "./installed.ts";
import { fetchWheel } from "./fetch-wheel.ts";
import { librarySizes } from "./library-damage.ts";
import { libraryNames, platformOf, type Platform } from "../machine/platform.ts";
import { extractHeaders, openArchive, type Archive } from "./wheel-archive.ts";
import { tensorflowVersion, wheelFile, wheelsOf, type Wheel } from "./wheels.ts";

/** TensorFlow headers that tfjs-node's source includes. */
const headers = ["tensorflow/c/c_api.h", "tensorflow/c/eager/c_api.h", "tensorflow/core/platform/ctstring_internal.h"];

/** Measured peak size of the folder while wheels are unpacked. */
const neededSpace = { native: "1.2 GB", gpu: "6 GB" } as const;

/** Where wheels are downloaded to, so that an interrupted download can go on. An install that ends empties it. */
export function wheelFolder(engine: InstallableEngine, cache: string): string {
  return path.join(cache, `engine-wheels-${engine}`);
}

/**
 * Downloads an engine's wheels and keeps their libraries and the few headers that the addon needs. It builds
 * everything in a folder beside the engine's own, which takes its place by one rename.
 */
export async function installLibraries(
  engine: InstallableEngine,
  cache: string,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<InstalledEngine> {
  const platform = platformOf();
  const wheels = wheelsOf(engine, platform);
  const folder = engineFolder(engine, tensorflowVersion, platform, cache);
  const wheelsAndHashes = wheels.map((wheel) => ({ file: wheelFile(wheel), sha256: wheel.sha256 }));
  const installed = { engine, tensorflow: tensorflowVersion, platform, folder, wheels: wheelsAndHashes };
  const libraryFolders = new Set<string>();
  const which = (index: number) => (wheels.length > 1 ? ` (${index + 1} of ${wheels.length})` : "");
  const downloads = wheelFolder(engine, cache);
  const fill = async (inside: string) => {
    const files: string[] = [];
    for (const [index, wheel] of wheels.entries())
      files.push(await download(wheel, downloads, which(index), onProgress, signal));
    for (const [index, file] of files.entries()) {
      onProgress({ step: "unpack", message: `Unpacking ${wheels[index]!.project}${which(index)}` });
      for (const found of await unpack(file, inside, platform, signal)) libraryFolders.add(found);
      if (path.dirname(file) === downloads) await rm(file);
    }
    await rm(downloads, { recursive: true, force: true });
    const manifest = { ...installed, libraryFolders: [...libraryFolders], files: await librarySizes(inside) };
    await writeJson(path.join(inside, manifestFile), manifest);
    signal.throwIfAborted();
  };
  try {
    await writeFolderAtomic(folder, fill);
  } catch (error) {
    // What was downloaded stays for the next install; an empty folder goes.
    await rmdir(downloads).catch(() => {});
    if (!(error instanceof FileError) || error.errno !== "ENOSPC") throw error;
    throw new EngineError(
      `The disk of ${cache} is full: the ${engine} engine needs ${neededSpace[engine]} while it is installed; make room or set CONVKIT_CACHE.`,
      { cause: error },
    );
  }
  return { ...installed, libraryFolders: [...libraryFolders] };
}

async function download(
  wheel: Wheel,
  folder: string,
  which: string,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<string> {
  const message = `Downloading ${wheel.project} ${wheel.version}${which}`;
  onProgress({ step: "download", message });
  return fetchWheel(wheel, folder, {
    signal,
    onBytes: (bytes, total) => onProgress({ step: "download", message, bytes, total }),
  });
}

/** Takes what an engine needs from a wheel; returns the folders that hold libraries, relative to the engine's. */
async function unpack(file: string, folder: string, platform: Platform, signal: AbortSignal): Promise<string[]> {
  const archive = await openArchive(file);
  try {
    return archive.names.some((name) => name.startsWith("nvidia/"))
      ? await unpackNvidia(archive, folder, signal)
      : await unpackTensorflow(archive, folder, platform, signal);
  } finally {
    archive.close();
  }
}

async function unpackTensorflow(
  archive: Archive,
  folder: string,
  platform: Platform,
  signal: AbortSignal,
): Promise<string[]> {
  for (const name of Object.values(libraryNames(platform))) {
    await archive.extract(`tensorflow/${name}`, path.join(folder, "lib", name), signal);
  }
  await extractHeaders(archive, "tensorflow/include/", headers, path.join(folder, "include"));
  return ["lib"];
}

/**
 * Unpacks CUDA's libraries and XLA's tools. They keep their paths: TensorFlow's library looks for them in `../nvidia`.
 */
async function unpackNvidia(archive: Archive, folder: string, signal: AbortSignal): Promise<string[]> {
  const libraries = archive.names.filter((name) => /\/lib\/[^/]+\.so[.\d]*$/.test(name));
  const tools = archive.names.filter((name) => /\/bin\/ptxas$|\/nvvm\/libdevice\/.+\.bc$/.test(name));
  for (const name of [...libraries, ...tools]) await archive.extract(name, path.join(folder, name), signal);
  return libraries.map((name) => path.dirname(name));
}
