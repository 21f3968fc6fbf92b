import { DataError } from "../../data-error.ts";

/** Where the file at an address lies, which is relative to the page's. */
export function fileAt(address: string): URL {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  if (URL.canParse(address, base)) return new URL(address, base);
  throw new DataError(`${address} is no address of a file`);
}
