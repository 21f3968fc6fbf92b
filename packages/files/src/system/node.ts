// Not for users: what other packages of convkit need of the system. Web pages take `page.ts` in its place, so a package that takes
// files, paths and checksums from here bundles for a page.
import { createHash } from "node:crypto";
import { crc32 as zlibCrc32 } from "node:zlib";

export { existsSync } from "node:fs";
export { appendFile, type FileHandle, open, readdir, readFile, rename, rm, stat, truncate } from "node:fs/promises";
export { hostname } from "node:os";
export { basename, dirname, extname, join } from "node:path";

/** The checksum of zip, of bytes or of a text as UTF-8; `before` is the checksum of what came before. */
export function crc32(data: NodeJS.ArrayBufferView | string, before = 0): number {
  // zlib begins anew at an empty array whose memory was never allocated.
  if (typeof data !== "string" && data.byteLength === 0) return before;
  return zlibCrc32(data, before);
}

/** The SHA-256 of bytes in hexadecimal digits. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The SHA-256 of bytes that come in parts. */
export interface Sha256 {
  update(bytes: Uint8Array): void;
  /** In hexadecimal digits, once. */
  digest(): string;
}

export function newSha256(): Sha256 {
  const hash = createHash("sha256");
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest("hex") };
}

/** Tells the user something that is no error: a warning of the process, or a line in the page's console. */
export function warn(line: string): void {
  process.emitWarning(line);
}

/** The identity of this process in names of files. */
export const processId = process.pid;
