import type { ImageFormat } from "../image-format.ts";

const app1 = 0xe1;
const startOfScan = 0xda;

/** A JPEG without its EXIF segments: browsers turn an image by them, whatever `createImageBitmap` is asked for. */
export function withoutExif(bytes: Uint8Array): Uint8Array {
  const parts = [bytes.subarray(0, 2)];
  let at = 2;
  while (at + 3 < bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1]!;
    if (marker === startOfScan) break;
    // Fill bytes have no length.
    const next = marker === 0xff ? at + 1 : at + 2 + bytes[at + 2]! * 256 + bytes[at + 3]!;
    if (marker !== app1) parts.push(bytes.subarray(at, next));
    at = next;
  }
  parts.push(bytes.subarray(at));
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let to = 0;
  for (const part of parts) {
    whole.set(part, to);
    to += part.length;
  }
  return whole;
}

/** True for a PNG or WebP with an EXIF chunk. */
export function holdsExif(bytes: Uint8Array, format: ImageFormat): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (format === "png") {
    const exif = 0x65584966;
    for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at))
      if (view.getUint32(at + 4) === exif) return true;
  }
  if (format === "webp") {
    const exif = 0x45584946;
    for (let at = 12, size = 0; at + 8 <= bytes.length; at += 8 + size + (size & 1)) {
      if (view.getUint32(at) === exif) return true;
      size = view.getUint32(at + 4, true);
    }
  }
  return false;
}
