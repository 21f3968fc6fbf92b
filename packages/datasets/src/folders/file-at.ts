import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** Where the file at a path lies. */
export function fileAt(path: string): URL {
  return pathToFileURL(resolve(path));
}
