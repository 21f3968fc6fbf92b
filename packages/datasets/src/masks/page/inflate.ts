/** Unpacks zlib's format (RFC 1950). Throws for damaged bytes, and for more than `most` bytes. */
export async function inflate(packed: Uint8Array, most: number): Promise<Uint8Array> {
  const unpacked = new Blob([packed as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream("deflate"));
  const made = new Uint8Array(most);
  let length = 0;
  for await (const part of unpacked) {
    if (length + part.length > most) throw new Error(`it unpacks to more than ${most} bytes`);
    made.set(part, length);
    length += part.length;
  }
  return made.subarray(0, length);
}
