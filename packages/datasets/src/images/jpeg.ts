import type { Pixels } from "./resize/resize.ts";

/** What a JPEG says of itself before its pixels. */
export interface JpegHead {
  /** 1 is gray, 3 colour, 4 CMYK; undefined where no frame was found. */
  components?: number;
  /** EXIF's, 1 to 8; 1 is upright. */
  orientation: number;
  height: number;
  width: number;
}

/**
 * The pixels of a JPEG by libjpeg-turbo with its fast integer DCT and smooth chroma, which are TensorFlow's defaults too, so
 * the bytes are equal; twice as fast as through libvips. Undefined where it does not take the file: four inks, a warning on the
 * way, no binary for this platform. Written into `scratch` where that is given and large enough.
 */
export async function decodeJpeg(bytes: Uint8Array, channels: 1 | 3, scratch?: Buffer): Promise<Pixels | undefined> {
  const turbo = await turboJpeg();
  if (turbo === undefined) return undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const options = { format: formatOf(turbo, channels) };
  try {
    const { data, width, height } = await (scratch === undefined
      ? turbo.decompress(buffer, options)
      : turbo.decompress(buffer, scratch, options));
    return { data, shape: [height, width, channels] };
  } catch {
    return undefined;
  }
}

/** The same in this thread, at once. */
export function decodeJpegSync(turbo: TurboJpeg, bytes: Buffer, channels: 1 | 3, scratch?: Buffer): Pixels | undefined {
  const options = { format: formatOf(turbo, channels) };
  try {
    const { data, width, height } =
      scratch === undefined ? turbo.decompressSync(bytes, options) : turbo.decompressSync(bytes, scratch, options);
    return { data, shape: [height, width, channels] };
  } catch {
    return undefined;
  }
}

function formatOf(turbo: TurboJpeg, channels: 1 | 3): number {
  return channels === 1 ? turbo.FORMAT_GRAY : turbo.FORMAT_RGB;
}

/** Whether libjpeg-turbo may take a file: not one that must be turned upright, nor one of four inks. */
export function isPlainJpeg(head: JpegHead | undefined, orient: boolean): head is JpegHead {
  return head !== undefined && head.components !== 4 && (!orient || head.orientation === 1);
}

/** Reads the markers up to the frame; undefined for what is no JPEG. */
export function jpegHead(bytes: Uint8Array): JpegHead | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  const head: JpegHead = { orientation: 1, height: 0, width: 0 };
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; at += 2 + bytes[at + 2]! * 256 + bytes[at + 3]!) {
    const marker = bytes[at + 1]!;
    if (marker === 0xe1) head.orientation = exifOrientation(bytes.subarray(at + 4)) ?? head.orientation;
    // SOF0 … SOF15, less the three that share the range.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      const [height, width] = [bytes[at + 5]! * 256 + bytes[at + 6]!, bytes[at + 7]! * 256 + bytes[at + 8]!];
      return { ...head, components: bytes[at + 9]!, height, width };
    }
  }
  return head;
}

/** Tag 0x0112 of the first directory of an APP1 segment, where it is EXIF's. */
function exifOrientation(segment: Uint8Array): number | undefined {
  if (segment.length < 20 || Buffer.from(segment.subarray(0, 6)).toString("latin1") !== "Exif\0\0") return undefined;
  const tiff = new DataView(segment.buffer, segment.byteOffset + 6, segment.length - 6);
  const little = tiff.getUint16(0) === 0x4949;
  const directory = tiff.getUint32(4, little);
  if (directory + 2 > tiff.byteLength) return undefined;
  const entries = tiff.getUint16(directory, little);
  for (let entry = 0; entry < entries; entry++) {
    const at = directory + 2 + 12 * entry;
    if (at + 12 > tiff.byteLength) return undefined;
    if (tiff.getUint16(at, little) === 0x0112) return tiff.getUint16(at + 8, little);
  }
  return undefined;
}

/** What is used of @julusian/jpeg-turbo. */
export interface TurboJpeg {
  FORMAT_RGB: number;
  FORMAT_GRAY: number;
  decompress(jpeg: Buffer, options: { format: number }): Promise<TurboPixels>;
  decompress(jpeg: Buffer, into: Buffer, options: { format: number }): Promise<TurboPixels>;
  decompressSync(jpeg: Buffer, options: { format: number }): TurboPixels;
  decompressSync(jpeg: Buffer, into: Buffer, options: { format: number }): TurboPixels;
}

interface TurboPixels {
  data: Buffer;
  width: number;
  height: number;
}

let loading: Promise<TurboJpeg | undefined> | undefined;

/** Loaded at the first JPEG; the package has binaries for Linux, macOS and Windows. */
export async function turboJpeg(): Promise<TurboJpeg | undefined> {
  loading ??= import("@julusian/jpeg-turbo").then(
    (module): TurboJpeg => module.default,
    () => undefined,
  );
  return loading;
}
