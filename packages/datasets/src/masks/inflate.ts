import { inflateSync } from "node:zlib";

/** Unpacks zlib's format (RFC 1950). Throws for damaged bytes, and for more than `most` bytes. */
export async function inflate(packed: Uint8Array, most: number): Promise<Uint8Array> {
  return inflateSync(packed, { maxOutputLength: most });
}
