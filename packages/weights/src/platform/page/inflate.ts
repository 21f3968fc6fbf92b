import { Inflate } from "fflate";
import { concatBytes } from "../../bytes/encoding.ts";

/** As much is unpacked at once, so that a bomb is found before it fills the memory. */
const pieceBytes = 1 << 16;

/** Unpacks deflate without a header to at most `limit` bytes; throws an Error for more, and for damaged bytes. */
export function inflateRaw(packed: Uint8Array, limit: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let total = 0;
  const stream = new Inflate((part) => {
    total += part.byteLength;
    if (total > limit) throw new Error(`it unpacks to more than ${limit} bytes`);
    parts.push(part);
  });
  for (let at = 0; at === 0 || at < packed.byteLength; at += pieceBytes)
    stream.push(packed.subarray(at, at + pieceBytes), at + pieceBytes >= packed.byteLength);
  return concatBytes(parts);
}

/** Unpacks zlib's format (RFC 1950) to at most `limit` bytes; throws an Error for more, and for damaged bytes. */
export function inflate(packed: Uint8Array, limit: number): Uint8Array {
  const [method = 0, flags = 0] = packed;
  if (packed.byteLength < 6) throw new Error("it ends too early");
  if ((method & 15) !== 8 || (method * 256 + flags) % 31 !== 0 || (flags & 32) !== 0)
    throw new Error("its header is not that of zlib");
  const end = packed.byteLength - 4;
  const plain = inflateRaw(packed.subarray(2, end), limit);
  const stated = new DataView(packed.buffer, packed.byteOffset + end, 4).getUint32(0);
  if (adler32(plain) !== stated) throw new Error("its checksum is another");
  return plain;
}

function adler32(bytes: Uint8Array): number {
  let [low, high] = [1, 0];
  for (const byte of bytes) {
    low = (low + byte) % 65_521;
    high = (high + low) % 65_521;
  }
  return high * 65_536 + low;
}
