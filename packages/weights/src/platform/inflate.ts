import { inflateRawSync, inflateSync } from "node:zlib";

/** Unpacks zlib's format to at most `limit` bytes; throws an Error for more, and for damaged bytes. */
export function inflate(packed: Uint8Array, limit: number): Uint8Array {
  return inflateSync(packed, { maxOutputLength: limit });
}

/** Unpacks deflate without a header to at most `limit` bytes; throws an Error for more, and for damaged bytes. */
export function inflateRaw(packed: Uint8Array, limit: number): Uint8Array {
  return inflateRawSync(packed, { maxOutputLength: limit });
}
