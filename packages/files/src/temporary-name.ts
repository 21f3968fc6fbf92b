import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";

/** A hidden name beside `path` that no other writer uses. What is written there becomes visible by one rename. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
}
