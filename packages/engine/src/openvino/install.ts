import { readdir, rm, rmdir } from "node:fs/promises";
import path from "node:path";

import { checkOptions, type OptionNames } from "@convkit/errors";
import { cacheRoot, FileError, finalName, withLock, writeFolderAtomic, writeJson } from "@convkit/files";

import { EngineError } from "../engine-error.ts";
import { makeCache } from "../install/cache.ts";
import { fetchWheel } from "../install/fetch-wheel.ts";
import { librarySizes } from "../install/library-damage.ts";
import type { OnProgress } from "../install/progress.ts";
import { openArchive } from "../install/wheel-archive.ts";
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
  const platform = openvinoPlatform();
  const cache = cacheRoot();
  const found = await findOpenvino(cache);
  if (isWhole(found)) return ready(found, onProgress);
  await makeCache(cache);
  const onWait = () => onProgress({ step: "wait", message: "Another install is at work; waiting for it" });
  return withLock(
    openvinoLock(cache),
    async (signal) => {
      const installed = await findOpenvino(cache);
      if (isWhole(installed)) return ready(installed, onProgress);
      await removeLeftovers(cache);
      const wheel = openvinoWheel(platform);
      const downloads = path.join(cache, "openvino-wheels");
      const message = `Downloading ${wheel.project} ${wheel.version}`;
      onProgress({ step: "download", message });
      const onBytes = (bytes: number, total: number) => onProgress({ step: "download", message, bytes, total });
      const folder = openvinoFolder(cache);
      try {
        const file = await fetchWheel(wheel, downloads, { signal, onBytes });
        onProgress({ step: "unpack", message: `Unpacking ${wheel.project}` });
        await writeFolderAtomic(folder, (inside) => unpack(file, inside, signal));
        await rm(downloads, { recursive: true, force: true });
      } catch (error) {
        await rmdir(downloads).catch(() => {});
        if (!(error instanceof FileError) || error.errno !== "ENOSPC") throw error;
        throw new EngineError(
          `The disk of ${cache} is full: OpenVINO needs 180 MB while it is installed; make room or set CONVKIT_CACHE.`,
          { cause: error },
        );
      }
      return ready((await findOpenvino(cache))!, onProgress);
    },
    { signal, onWait },
  );
}

function isWhole(installed: InstalledOpenvino | undefined): installed is InstalledOpenvino {
  return installed !== undefined && installed.damage === undefined;
}

function ready(installed: InstalledOpenvino, onProgress: OnProgress): InstalledOpenvino {
  onProgress({ step: "done", message: `OpenVINO ${installed.version} is ready in ${installed.folder}` });
  return installed;
}

/** The lock that an install or a removal holds. */
function openvinoLock(cache: string): string {
  return path.join(cache, ".install-openvino.lock");
}

/** Removes the unfinished folders of killed installs. The caller holds the lock, so no install uses them. */
async function removeLeftovers(cache: string): Promise<void> {
  const name = path.basename(openvinoFolder(cache));
  for (const each of await readdir(cache))
    if (finalName(each) === name) await rm(path.join(cache, each), { recursive: true, force: true });
}

/** Takes the libraries and the licenses from a wheel. The plugins are found beside the library, so all lie in one folder. */
async function unpack(file: string, folder: string, signal: AbortSignal): Promise<void> {
  const platform = openvinoPlatform();
  const archive = await openArchive(file);
  try {
    const libraries = archive.names.filter(isNeeded);
    const library = libraries.map((name) => path.posix.basename(name)).find((name) => /openvino_c\./.test(name));
    if (library === undefined) throw new EngineError(`${file} has no C library of OpenVINO.`);
    for (const name of libraries) await archive.extract(name, path.join(folder, path.posix.basename(name)), signal);
    const files = await librarySizes(folder);
    for (const name of archive.names.filter((each) => /\.dist-info\/licenses\/.*[^/]$/.test(each)))
      await archive.extract(name, path.join(folder, "licenses", path.posix.basename(name)), signal);
    const { sha256 } = openvinoWheel(platform);
    const wheel = { file: wheelFile(openvinoWheel(platform)), sha256 };
    await writeJson(path.join(folder, openvinoManifest), { version: openvinoVersion, platform, wheel, library, files });
    signal.throwIfAborted();
  } finally {
    archive.close();
  }
}

/** Removes every version of OpenVINO from the cache and returns their folders. Waits for a running install. */
export async function removeOpenvino(cache: string = cacheRoot()): Promise<string[]> {
  // A damaged manifest does not hide the folder.
  const names = (await readdir(cache).catch(() => [])).filter((name) => /^openvino-\d/.test(name));
  const folders = names.map((name) => path.join(cache, name));
  if (folders.length === 0) return [];
  await withLock(openvinoLock(cache), async () => {
    for (const folder of folders) {
      // The manifest goes first, so that an interrupted removal leaves no folder that counts as installed.
      await rm(path.join(folder, openvinoManifest), { force: true });
      await rm(folder, { recursive: true, force: true });
    }
    await rm(path.join(cache, "openvino-wheels"), { recursive: true, force: true });
  });
  return folders;
}
