import type { FoundFile } from "../bytes/file-folder.ts";
import { findAddress } from "../load/find-address.ts";
import type { Destination } from "../save/destination.ts";
import { WeightsError } from "../weights-error.ts";

export { inflate, inflateRaw } from "./page/inflate.ts";

/** The file of an address, relative to the page's. */
export function findPath(at: string | URL): FoundFile {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  if (!URL.canParse(String(at), base)) throw new WeightsError(String(at), "", "is no address of a file");
  return findAddress(new URL(at, base));
}

/** Throws a `WeightsError`: a page reads files asynchronously. */
export function openFile(path: string): never {
  throw new WeightsError(path, "", "cannot be opened by its path in a web page: give its bytes");
}

/** The names of the folders that a file lies in. */
export function folderNames(path: string): string[] {
  return path.split("/").slice(0, -1);
}

const refuse = async (path: string): Promise<never> => {
  throw new WeightsError(
    path,
    "",
    "cannot be written by its path in a web page: give a folder (into), such as that of navigator.storage.getDirectory(), or take the files that modelFiles gives",
  );
};

export const disk: Destination = { file: refuse, folder: refuse };

/** Throws a `WeightsError`: TensorFlow writes a SavedModel, and no page has it. */
export async function writeSavedModel(folder: string): Promise<never> {
  throw new WeightsError(
    folder,
    "",
    "a SavedModel is written by TensorFlow, which no web page has: write another format",
  );
}
