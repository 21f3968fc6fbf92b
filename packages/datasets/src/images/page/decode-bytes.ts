import { DataError } from "../../data-error.ts";
import { bmpHead, decodeBmp } from "../bmp.ts";
import { checkPixels } from "../decode-options.ts";
import { checkStart, imageFormat } from "../image-format.ts";
import type { ImageFormat } from "../image-format.ts";
import { jpegHead } from "../jpeg-head.ts";
import { orientPixels } from "../orient-pixels.ts";
import { checkPngHead } from "../png-head.ts";
import type { Pixels } from "../resize/resize.ts";
import { bitmapPixels, bitmapSize } from "./bitmap-pixels.ts";
import { checkEnd } from "./check-end.ts";
import { holdsExif, withoutExif } from "./exif.ts";

/** The size of an image before EXIF's orientation turns it; of formats other than JPEG and BMP, the size when it is turned. */
export async function sizeOf(bytes: Uint8Array): Promise<{ height: number; width: number; orientation: number }> {
  const format = knownFormat(bytes);
  if (format === "bmp") return { ...bmpHead(bytes), orientation: 1 };
  const head = jpegHead(bytes);
  if (head?.components !== undefined) return head;
  return { ...(await bitmapSize(bytes, format)), orientation: 1 };
}

/**
 * Decodes an encoded image in its own size, `[h, w, 3]`, by the browser. Throws a DataError for TIFF, and for CMYK, which each browser
 * converts in its own way.
 */
export async function decodeBytes(
  bytes: Uint8Array,
  { orient, pixelLimit }: { orient: boolean; pixelLimit: number },
): Promise<Pixels> {
  const format = knownFormat(bytes);
  if (format === "bmp") return decodeBmp(bytes, pixelLimit);
  if (format === "png") checkPngHead(bytes);
  checkEnd(bytes, format);
  const head = format === "jpeg" ? jpegHead(bytes) : undefined;
  if (head === undefined) {
    if (!orient && holdsExif(bytes, format))
      throw new DataError(`it is a ${format} with EXIF data, by which browsers may turn it: leave orient out`);
    return bitmapPixels(bytes, format, pixelLimit);
  }
  checkPixels(head.height, head.width, pixelLimit);
  if (head.components === 4)
    throw new DataError("it is a CMYK JPEG, whose colors each browser converts in its own way; save it as RGB");
  // The orientation is the one that Node finds.
  const pixels = await bitmapPixels(withoutExif(bytes), format, pixelLimit);
  return orient ? orientPixels(pixels, head.orientation) : pixels;
}

/** The format of an image. Throws a DataError for bytes that are no image, and for one that pages do not decode. */
function knownFormat(bytes: Uint8Array): ImageFormat {
  checkStart(bytes);
  const format = imageFormat(bytes)!;
  if (format === "tiff") throw new DataError("it is a TIFF, which web pages do not decode; save it as PNG");
  return format;
}
