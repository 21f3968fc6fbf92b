import { readdir } from "node:fs/promises";
import path from "node:path";

import { cacheRoot, readJson } from "@convkit/files";

import { folderBytes } from "../install/cache.ts";
import { damageOf, type LibrarySizes } from "../install/library-damage.ts";
import { openvinoPlatform, openvinoVersion, type OpenvinoPlatform } from "./wheels.ts";

/** An OpenVINO in the cache. */
export interface InstalledOpenvino {
  readonly version: string;
  readonly platform: OpenvinoPlatform;
  readonly folder: string;
  /** The wheel that it was unpacked from, with its checked hash. */
  readonly wheel: { readonly file: string; readonly sha256: string };
  /** The file of its C library. */
  readonly library: string;
  /** Why it must not be loaded: a file that is missing or cut off, which would end the process. Missing where all is well. */
  readonly damage?: string | undefined;
}

/** What the manifest of a folder says. */
interface Manifest extends Omit<InstalledOpenvino, "folder" | "damage"> {
  /** Missing in manifests of earlier versions. */
  readonly files?: LibrarySizes | undefined;
}

/** Every complete folder of an OpenVINO holds this file. */
export const openvinoManifest = "openvino.json";

/** The folder of this version in the cache, whether it exists or not. */
export function openvinoFolder(cache: string): string {
  return path.join(cache, `openvino-${openvinoVersion}-${openvinoPlatform()}`);
}

/** The OpenVINO that predictions use: this version's, in convkit's cache; undefined if it is not installed. */
export async function findOpenvino(cache: string = cacheRoot()): Promise<InstalledOpenvino | undefined> {
  try {
    return await readInstalled(openvinoFolder(cache));
  } catch {
    return undefined;
  }
}

/** All versions in the cache, with their sizes in bytes. */
export async function listOpenvino(cache: string = cacheRoot()): Promise<(InstalledOpenvino & { bytes: number })[]> {
  const names = (await readdir(cache).catch(() => [])).filter((name) => name.startsWith("openvino-"));
  const found = names.map(async (name) => {
    const installed = await readInstalled(path.join(cache, name)).catch(() => undefined);
    return installed === undefined ? [] : [{ ...installed, bytes: await folderBytes(installed.folder) }];
  });
  return (await Promise.all(found)).flat();
}

async function readInstalled(folder: string): Promise<InstalledOpenvino> {
  const manifest = (await readJson(path.join(folder, openvinoManifest))) as unknown as Manifest;
  const { version, platform, wheel, library, files = {} } = manifest;
  const damage = await damageOf(folder, files);
  const installed = { version, platform, folder, wheel, library: path.join(folder, path.basename(library)) };
  return damage === undefined ? installed : { ...installed, damage };
}
