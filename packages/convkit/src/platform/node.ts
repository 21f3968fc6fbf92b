// Not for users: what differs between Node and a web page. Bundlers take `page.ts` in its place.
import { existsSync } from "node:fs";

/** True where a path names no file. */
export function isMissing(path: string): boolean {
  return !existsSync(path);
}
