import { bmpHead, decodeBmp } from "./bmp.ts";
import { checkPixels } from "./decode-options.ts";
import { imageFormat } from "./image-format.ts";
import { jpegHead } from "./jpeg-head.ts";
import { decodeJpeg, isPlainJpeg } from "./jpeg.ts";
import { decodeByVips, sizeByVips } from "./libvips.ts";
import { orientPixels } from "./orient-pixels.ts";
import type { Pixels } from "./resize/resize.ts";
import { scratchOf } from "./scratch-buffers.ts";
import type { Scratch } from "./scratch-buffers.ts";

/** The size that an image's header states, before EXIF's orientation turns it. */
export async function sizeOf(bytes: Uint8Array): Promise<{ height: number; width: number; orientation: number }> {
  if (imageFormat(bytes) === "bmp") return { ...bmpHead(bytes), orientation: 1 };
  const head = jpegHead(bytes);
  return head?.components === undefined ? sizeByVips(bytes) : head;
}

/** Decodes an encoded image in its own size, with three channels, or with one where that is quicker. */
export async function decodeBytes(
  bytes: Uint8Array,
  { orient, channels, pixelLimit }: { orient: boolean; channels: 1 | 3; pixelLimit: number },
  scratch: Scratch | undefined,
): Promise<Pixels> {
  const format = imageFormat(bytes);
  if (format === "bmp") return decodeBmp(bytes, pixelLimit);
  const head = jpegHead(bytes);
  if (head === undefined) return decodeByVips(bytes, { format, orient, pixelLimit, isCmyk: false });
  checkPixels(head.height, head.width, pixelLimit);
  const quick = isPlainJpeg(head, orient)
    ? await decodeJpeg(bytes, channels, scratchOf(scratch, head.height * head.width * channels))
    : undefined;
  if (quick !== undefined) return quick;
  // The orientation is always the one that `jpegHead` found: libvips may find a different one in an unusual file.
  const decoded = await decodeByVips(bytes, {
    format: "jpeg",
    orient: false,
    pixelLimit,
    isCmyk: head.components === 4,
  });
  return orient ? orientPixels(decoded, head.orientation) : decoded;
}
