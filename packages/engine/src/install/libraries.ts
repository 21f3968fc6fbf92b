import path from "node:path";

import { engineFolder, manifestFile, type InstallableEngine } from "./installed.ts";
import { librarySizes } from "./library-damage.ts";
import { libraryNames, platformOf, type Platform } from "../machine/platform.ts";
import { wheelHashes, type Place, type Provision } from "./provision.ts";
import { tfjsNodeCopyRoot } from "./tfjs-node-copy.ts";
import { extractHeaders, type Archive } from "./wheel-archive.ts";
import { tensorflowVersion, wheelsOf } from "./wheels.ts";

/** TensorFlow headers that tfjs-node's source includes. */
const headers = ["tensorflow/c/c_api.h", "tensorflow/c/eager/c_api.h", "tensorflow/core/platform/ctstring_internal.h"];

/** Measured peak size of the folder while wheels are unpacked. */
const neededSpace = { native: "1.2 GB", gpu: "6 GB" } as const;

/** Where an engine lies in the cache, and the copy of tfjs-node for projects without it. */
export function enginePlace(engine: InstallableEngine, cache: string): Place {
  return {
    cache,
    lock: path.join(cache, `.install-${engine}.lock`),
    downloads: path.join(cache, `engine-wheels-${engine}`),
    manifest: manifestFile,
    besides: [tfjsNodeCopyRoot(engine, cache)],
  };
}

/** An engine's libraries, and the few headers that the addon needs. */
export function engineProvision(engine: InstallableEngine, cache: string): Provision {
  const platform = platformOf();
  const wheels = wheelsOf(engine, platform);
  const libraryFolders = new Set<string>();
  const folder = engineFolder(engine, tensorflowVersion, platform, cache);
  return {
    ...enginePlace(engine, cache),
    name: `the ${engine} engine`,
    folder,
    wheels,
    space: neededSpace[engine],
    async unpack(archive, inside, signal) {
      const found = archive.names.some((name) => name.startsWith("nvidia/"))
        ? await unpackNvidia(archive, inside, signal)
        : await unpackTensorflow(archive, inside, platform, signal);
      for (const name of found) libraryFolders.add(name);
    },
    async manifestOf(inside) {
      const installed = { engine, tensorflow: tensorflowVersion, platform, folder, wheels: wheelHashes(wheels) };
      return { ...installed, libraryFolders: [...libraryFolders], files: await librarySizes(inside) };
    },
  };
}

/** Returns the folders that hold libraries, relative to the engine's. */
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
