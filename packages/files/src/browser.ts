/**
 * What bundlers take in place of `index.ts` for web pages: the same names. A page has no file system, so what reads or writes a file
 * refuses with a FileError.
 */
import { noFileSystem } from "./no-file-system.ts";

export { DownloadError } from "./download-error.ts";
export { FileError, unwritable } from "./file-error.ts";
export { parseJson } from "./parse-json.ts";
export { finalName, isTemporary } from "./final-name.ts";

const refuse = async (path: unknown): Promise<never> => {
  throw noFileSystem(path);
};

const refuseAtOnce = (path: unknown): never => {
  throw noFileSystem(path);
};

export const openAtomicFile = refuse;
export const writeFileAtomic = refuse;
export const writeFolderAtomic = refuse;
export const cacheFolder = refuseAtOnce;
export const cacheRoot = (): never => refuseAtOnce("the cache");
export const download = async (_url: string, path: unknown): Promise<never> => refuse(path);
export const hashDifference = refuse;
export const hashFile = refuse;
export const readJson = refuse;
export const writeJson = refuse;
export const tryLock = refuse;
export const withLock = refuse;
export const makeFolder = refuse;
export const temporaryName = refuseAtOnce;
