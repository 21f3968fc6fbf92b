/** Bob Jenkins' hash "lookup3" with the initial value 0, HDF5's checksum of metadata. */
export function lookup3(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let a = (0xdeadbeef + bytes.byteLength) | 0;
  let [b, c] = [a, a];
  let at = 0;
  for (; bytes.byteLength - at > 12; at += 12) {
    a = (a + view.getUint32(at, true)) | 0;
    b = (b + view.getUint32(at + 4, true)) | 0;
    c = (c + view.getUint32(at + 8, true)) | 0;
    [a, c] = [(a - c) ^ turned(c, 4), (c + b) | 0];
    [b, a] = [(b - a) ^ turned(a, 6), (a + c) | 0];
    [c, b] = [(c - b) ^ turned(b, 8), (b + a) | 0];
    [a, c] = [(a - c) ^ turned(c, 16), (c + b) | 0];
    [b, a] = [(b - a) ^ turned(a, 19), (a + c) | 0];
    [c, b] = [(c - b) ^ turned(b, 4), (b + a) | 0];
  }
  if (at === bytes.byteLength) return c >>> 0;
  const rest = new DataView(new ArrayBuffer(12));
  for (let i = at; i < bytes.byteLength; i++) rest.setUint8(i - at, bytes[i]!);
  a = (a + rest.getUint32(0, true)) | 0;
  b = (b + rest.getUint32(4, true)) | 0;
  c = (c + rest.getUint32(8, true)) | 0;
  c = ((c ^ b) - turned(b, 14)) | 0;
  a = ((a ^ c) - turned(c, 11)) | 0;
  b = ((b ^ a) - turned(a, 25)) | 0;
  c = ((c ^ b) - turned(b, 16)) | 0;
  a = ((a ^ c) - turned(c, 4)) | 0;
  b = ((b ^ a) - turned(a, 14)) | 0;
  c = ((c ^ b) - turned(b, 24)) | 0;
  return c >>> 0;
}

/** The 32 bits turned left. */
function turned(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
