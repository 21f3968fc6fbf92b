import { shown } from "@convkit/errors";
import { DataError } from "../../data-error.ts";
import { decodeBmp } from "../bmp.ts";
import {
  checkDecodeOptions,
  checkNames,
  checkPixels,
  decodeOptionNames,
  defaultPixelLimit,
} from "../decode-options.ts";
import type { DecodeOptions } from "../decode-options.ts";
import { described } from "../decoding-failure.ts";
import { checkStart, imageFormat } from "../image-format.ts";
import { jpegHead } from "../jpeg-head.ts";
import { lumaOf } from "../luma.ts";
import { orientPixels } from "../orient-pixels.ts";
import { checkPngHead } from "../png-head.ts";
import { fitInto } from "../resize/resize.ts";
import type { Pixels } from "../resize/resize.ts";
import { bitmapPixels } from "./bitmap-pixels.ts";
import { checkEnd } from "./check-end.ts";
import { holdsExif, withoutExif } from "./exif.ts";

/**
 * `decodeImage` of Node by the browser's decoders: JPEG, PNG, WebP, AVIF and GIF as the browser knows them, and BMP; resizing is that of
 * Node. A text is an address, relative to the page's. Throws a DataError for TIFF, and for CMYK, which each browser converts in its own way.
 */
export async function decodeImage(file: string | Uint8Array, options: DecodeOptions = {}): Promise<Pixels> {
  checkNames("decodeImage", options, decodeOptionNames);
  if (typeof file !== "string" && !(file instanceof Uint8Array)) {
    throw new DataError(`decodeImage: expected the address of an image file or its bytes, got ${shown(file)}`);
  }
  const { size, channels = 3, orient = true, pixelLimit = defaultPixelLimit } = checkDecodeOptions(options);
  const decoded = await described(typeof file === "string" ? file : "The image", async () => {
    const bytes = typeof file === "string" ? await fetched(file) : file;
    const pixels = await decodeBytes(bytes, orient, pixelLimit);
    return channels === 1 && pixels.shape[2] === 3 ? lumaOf(pixels) : pixels;
  });
  if (size === undefined) return decoded;
  const [h, w] = size;
  const data = new Uint8Array(h * w * channels);
  fitInto(data, [h, w], decoded, options);
  return { data, shape: [h, w, channels] };
}

async function fetched(address: string): Promise<Uint8Array> {
  const response = await fetch(address);
  if (!response.ok) throw new DataError(`its address answers ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function decodeBytes(bytes: Uint8Array, orient: boolean, pixelLimit: number): Promise<Pixels> {
  if (bytes.length === 0) throw new DataError("it has no bytes");
  checkStart(bytes);
  const format = imageFormat(bytes)!;
  if (format === "bmp") return decodeBmp(bytes, pixelLimit);
  if (format === "tiff") throw new DataError("it is a TIFF, which web pages do not decode; save it as PNG");
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
