import { readdir } from "node:fs/promises";
import path from "node:path";

import { checkOptions, type OptionNames } from "@convkit/errors";
import { cacheRoot } from "@convkit/files";

import { EngineError } from "../engine-error.ts";
import { librarySizes } from "../install/library-damage.ts";
import type { OnProgress } from "../install/progress.ts";
import {
  provide,
  removeVersions,
  wheelHashes,
  whileInstalling,
  type Place,
  type Provision,
} from "../install/provision.ts";
import { wheelFile } from "../install/wheels.ts";
import { findOpenvino, openvinoFolder, openvinoManifest, type InstalledOpenvino } from "./installed.ts";
import { isNeeded, openvinoPlatform, openvinoVersion, openvinoWheel } from "./wheels.ts";

/** Options of `installOpenvino`. */
export interface InstallOpenvinoOptions {
  /** Called with each step of the install; none by default. */
  readonly onProgress?: OnProgress | undefined;
  /** Aborts the install, and no unfinished files are left; none by default. */
  readonly signal?: AbortSignal | undefined;
}

const optionNames: OptionNames<InstallOpenvinoOptions> = { onProgress: true, signal: true };

/**
 * Provides OpenVINO's C library in the user's cache, out of its official wheel: what predictions on the CPU need, about
 * 90 MB. Needs neither Python nor a compiler. Returns at once where it is there, and replaces what is damaged. Throws an
 * EngineError that says what is missing.
 */
export async function installOpenvino(options: InstallOpenvinoOptions = {}): Promise<InstalledOpenvino> {
  checkOptions("installOpenvino", options, optionNames, (message) => new EngineError(message));
  const { onProgress = () => {}, signal } = options;
  const provision = openvinoProvision(cacheRoot());
  const { cache } = provision;
  const found = await findOpenvino(cache);
  if (isWhole(found)) return ready(found, onProgress);
  return whileInstalling(provision, { onProgress, signal }, async (signal) => {
    const installed = await findOpenvino(cache);
    if (isWhole(installed)) return ready(installed, onProgress);
    await provide(provision, onProgress, signal);
    return ready((await findOpenvino(cache))!, onProgress);
  });
}

function isWhole(installed: InstalledOpenvino | undefined): installed is InstalledOpenvino {
  return installed !== undefined && installed.damage === undefined;
}

function ready(installed: InstalledOpenvino, onProgress: OnProgress): InstalledOpenvino {
  onProgress({ step: "done", message: `OpenVINO ${installed.version} is ready in ${installed.folder}` });
  return installed;
}

function openvinoPlace(cache: string): Place {
  return {
    cache,
    lock: path.join(cache, ".install-openvino.lock"),
    downloads: path.join(cache, "openvino-wheels"),
    manifest: openvinoManifest,
  };
}

function openvinoProvision(cache: string): Provision {
  const platform = openvinoPlatform();
  const wheel = openvinoWheel(platform);
  return {
    ...openvinoPlace(cache),
    name: "OpenVINO",
    folder: openvinoFolder(cache),
    wheels: [wheel],
    space: "180 MB",
    // The plugins are found beside the library, so all lie in one folder.
    async unpack(archive, inside, signal) {
      for (const name of archive.names.filter(isNeeded))
        await archive.extract(name, path.join(inside, path.posix.basename(name)), signal);
      for (const name of archive.names.filter((each) => /\.dist-info\/licenses\/.*[^/]$/.test(each)))
        await archive.extract(name, path.join(inside, "licenses", path.posix.basename(name)), signal);
    },
    async manifestOf(inside) {
      const library = (await readdir(inside)).find((name) => /openvino_c\./.test(name));
      if (library === undefined) throw new EngineError(`${wheelFile(wheel)} has no C library of OpenVINO.`);
      const [hash] = wheelHashes([wheel]);
      return { version: openvinoVersion, platform, wheel: hash, library, files: await librarySizes(inside) };
    },
  };
}

/** Removes every version of OpenVINO from the cache and returns their folders. Waits for a running install. */
export function removeOpenvino(cache: string = cacheRoot()): Promise<string[]> {
  return removeVersions(openvinoPlace(cache), (name) => /^openvino-\d/.test(name));
}
