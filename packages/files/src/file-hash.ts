import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";

/** What is known of a file's content, in hexadecimal digits. Old publishers give md5, or the first digits of a sha256. */
export type FileHash = { readonly sha256: string } | { readonly md5: string } | { readonly sha256Begins: string };

/** The hash of a file's content in hexadecimal digits. */
export async function hashFile(path: string, kind: "sha256" | "md5" = "sha256", signal?: AbortSignal): Promise<string> {
  const hash = createHash(kind);
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, signal === undefined ? {} : { signal });
  return hash.digest("hex");
}

/** Undefined where the file has the hash, else a clause that names both: `expected sha256 …, got …`. */
export async function hashDifference(path: string, hash: FileHash, signal?: AbortSignal): Promise<string | undefined> {
  const kind = "md5" in hash ? "md5" : "sha256";
  const [expected] = Object.values(hash) as [string];
  const got = await hashFile(path, kind, signal);
  if (got.startsWith(expected.toLowerCase())) return undefined;
  return `expected ${kind} ${expected}${expected.length < got.length ? "…" : ""}, got ${got}`;
}
