import { DataError } from "../data-error.ts";
import type { WantedFile } from "../images/decode-pool.ts";
import type { FileSpan } from "../images/image-source.ts";

export { fileAt } from "../folders/page/file-at.ts";
export { fetchStart as readStart, fetchWhole as readWhole } from "../images/fetch-image.ts";
export { decodeBytes, sizeOf } from "../images/page/decode-bytes.ts";
export { inflate } from "../masks/page/inflate.ts";

/** Throws a DataError: a page has no files to open. */
export async function readSpan({ file }: FileSpan): Promise<never> {
  throw new DataError(`${file} cannot be opened by its path in a web page`);
}

/** Leaves all images to the caller: browsers decode in threads of their own. */
export async function decodeInPool(wanted: readonly WantedFile[]): Promise<boolean[]> {
  return wanted.map(() => false);
}

/** Throws a DataError: a page has no folder for a cache. */
export async function decodedStore(): Promise<never> {
  throw new DataError(
    'keep "disk" needs a folder, which a web page has none of; keep "memory" keeps decoded images, too',
  );
}

/** The number of threads that the browser tells. */
export function availableParallelism(): number {
  return globalThis.navigator?.hardwareConcurrency ?? 1;
}
