import { DataError } from "../../data-error.ts";
import type { ImageFormat } from "../image-format.ts";

/** Throws for a file that is cut off, of which browsers would decode the part that is there and fill up the rest. */
export function checkEnd(bytes: Uint8Array, format: ImageFormat): void {
  const isWhole = { jpeg: endsAsJpeg, png: endsAsPng, webp: endsAsWebp }[format as string] ?? (() => true);
  if (!isWhole(bytes)) throw new DataError("it is cut off: its end is missing");
}

/** An end of image behind the start of a scan: in a scan's data another byte follows every 0xff. */
function endsAsJpeg(bytes: Uint8Array): boolean {
  let last = bytes.length - 2;
  while (last > 0 && !(bytes[last] === 0xff && bytes[last + 1] === 0xd9)) last--;
  let scan = last;
  while (scan > 0 && !(bytes[scan] === 0xff && bytes[scan + 1] === 0xda)) scan--;
  return scan > 0;
}

function endsAsPng(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const end = 0x49454e44;
    if (view.getUint32(at + 4) === end) return true;
  }
  return false;
}

/** The second word of a RIFF file is the number of bytes that follow it. */
function endsAsWebp(bytes: Uint8Array): boolean {
  return 8 + new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(4, true) <= bytes.length;
}
