import { latin1 } from "./image-format.ts";

/** The header data of a JPEG. */
export interface JpegHead {
  /** 1 is gray, 3 color, 4 CMYK; undefined if no frame was found. */
  readonly components?: number;
  /** EXIF's orientation, 1 to 8; 1 is upright. */
  readonly orientation: number;
  readonly height: number;
  readonly width: number;
}

/** Markers without a length: TEM, RST0 to RST7, SOI. */
const isBare = (marker: number) => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
/** SOF0 to SOF15, except the three other markers in that range. */
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
const startOfScan = 0xda;
const endOfImage = 0xd9;
const app1 = 0xe1;

/** Reads the markers up to the first scan; undefined for bytes that are not a JPEG. */
export function jpegHead(bytes: Uint8Array): JpegHead | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8 || bytes[2] !== 0xff) return undefined;
  let orientation: number | undefined;
  let frame: Omit<JpegHead, "orientation"> = { height: 0, width: 0 };
  let at = 2;
  while (at + 3 < bytes.length && bytes[at] === 0xff) {
    // Fill bytes may stand before any marker (ITU T.81, B.1.1.2).
    while (bytes[at + 1] === 0xff) at++;
    const marker = bytes[at + 1] ?? endOfImage;
    if (marker === startOfScan || marker === endOfImage) break;
    if (isBare(marker)) {
      at += 2;
      continue;
    }
    const length = (bytes[at + 2] ?? 0) * 256 + (bytes[at + 3] ?? 0);
    if (marker === app1) orientation ??= exifOrientation(bytes.subarray(at + 4, at + 2 + length));
    if (isFrame(marker) && at + 9 < bytes.length && frame.components === undefined) {
      const number = (place: number) => bytes[place]! * 256 + bytes[place + 1]!;
      frame = { components: bytes[at + 9]!, height: number(at + 5), width: number(at + 7) };
    }
    at += 2 + length;
  }
  return { ...frame, orientation: orientation ?? 1 };
}

/** Tag 0x0112 in the first directory of an EXIF segment (APP1); undefined if it is missing or not from 1 to 8. */
function exifOrientation(segment: Uint8Array): number | undefined {
  if (segment.length < 20 || latin1(segment.subarray(0, 6)) !== "Exif\0\0") return undefined;
  const tiff = new DataView(segment.buffer, segment.byteOffset + 6, segment.length - 6);
  const isLittle = tiff.getUint16(0) === 0x4949;
  const directory = tiff.getUint32(4, isLittle);
  if (directory + 2 > tiff.byteLength) return undefined;
  const entries = tiff.getUint16(directory, isLittle);
  for (let entry = 0; entry < entries; entry++) {
    const at = directory + 2 + 12 * entry;
    if (at + 12 > tiff.byteLength) return undefined;
    if (tiff.getUint16(at, isLittle) !== 0x0112) continue;
    // Accepts a LONG (type 4), although the standard requires a SHORT.
    const value =
      tiff.getUint16(at + 2, isLittle) === 4 ? tiff.getUint32(at + 8, isLittle) : tiff.getUint16(at + 8, isLittle);
    return value >= 1 && value <= 8 ? value : undefined;
  }
  return undefined;
}
