import { DataError } from "../data-error.ts";
/** The supported formats, recognized by their first bytes. */
const formats = {
  jpeg: /^\xff\xd8\xff/,
  png: /^\x89PNG\r\n/,
  webp: /^RIFF.{4}WEBP/s,
  avif: /^.{4}ftyp(?:avi[fs]|mi[af]1|msf1|hei[cx])/s,
  gif: /^GIF8/,
  tiff: /^(?:II\*\0|MM\0\*|II\+\0|MM\0\+)/,
  // The length of the second header follows. Checking it excludes texts that begin with "BM".
  // oxlint-disable-next-line no-control-regex -- lengths are bytes, not characters
  bmp: /^BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0/s,
} as const;

export type ImageFormat = keyof typeof formats;

/** The extensions of image files. Files with other extensions are images if their first bytes say so. */
export const imageExtensions: readonly string[] = [
  ".jpg",
  ".jpeg",
  ".jfif",
  ".png",
  ".webp",
  ".avif",
  ".gif",
  ".tif",
  ".tiff",
  ".bmp",
  ".dib",
];

/** How many bytes of a file `imageFormat` looks at. */
export const signatureBytes = 18;

/** The format of a file that starts with these bytes; undefined if it is not an image. */
export function imageFormat(start: Uint8Array): ImageFormat | undefined {
  const text = latin1(start.subarray(0, signatureBytes));
  return (Object.keys(formats) as ImageFormat[]).find((format) => formats[format].test(text));
}

/** Throws unless the bytes start like an image, and not like a drawing besides. */
export function checkStart(bytes: Uint8Array): void {
  if (imageFormat(bytes) !== undefined && !looksLikeSvg(bytes)) return;
  throw new DataError(
    `it starts as no known image does (${Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join("")})`,
  );
}

/** True where libvips may take the bytes for SVG: a drawing of one kilobyte can take minutes. */
function looksLikeSvg(bytes: Uint8Array): boolean {
  const start = latin1(bytes.subarray(0, 1024));
  // libvips takes other bytes than ASCII at the start for a sign that the file is none; so those of JPEG and PNG.
  return /^\p{ASCII}{24}/u.test(start) && /<svg/i.test(start);
}

/** A character for each byte; `Buffer` is missing in web pages. */
export function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
