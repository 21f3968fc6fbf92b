import { open } from "node:fs/promises";
import { shown } from "@convkit/errors";
import { DataError } from "../data-error.ts";
import { bmpHead, decodeBmp } from "./bmp.ts";
import { checkDecodeOptions, checkNames, checkPixels, decodeOptionNames, defaultPixelLimit } from "./decode-options.ts";
import type { DecodeOptions } from "./decode-options.ts";
import { checkStart, imageFormat, signatureBytes } from "./image-format.ts";
import { contentOf, type ImageSource, nameOf } from "./image-source.ts";
import { described } from "./decoding-failure.ts";
import { decodeJpeg, isPlainJpeg } from "./jpeg.ts";
import { jpegHead } from "./jpeg-head.ts";
import { decodeByVips, sizeByVips } from "./libvips.ts";
import { lumaOf } from "./luma.ts";
import { orientPixels } from "./orient-pixels.ts";
import { fitInto } from "./resize/resize.ts";
import type { Pixels } from "./resize/resize.ts";
import { scratchOf } from "./scratch-buffers.ts";
import type { Scratch } from "./scratch-buffers.ts";

/**
 * Decodes an image file (or its bytes) to `[h, w, channels]`, 0..255: JPEG, PNG, WebP, AVIF, GIF, TIFF or BMP, whatever
 * the file's name. Animations give their first frame, 16-bit images their upper 8 bits, and CMYK the same RGB as
 * Pillow. Throws a DataError for bytes that are not a complete image, for a TIFF of floats, and for more pixels than
 * `pixelLimit`. In a web page a text is an address, and the browser decodes; the README says how near the values are.
 */
export async function decodeImage(file: string | Uint8Array, options: DecodeOptions = {}): Promise<Pixels> {
  checkNames("decodeImage", options, decodeOptionNames);
  if (typeof file !== "string" && !(file instanceof Uint8Array)) {
    throw new DataError(`decodeImage: expected the path of an image file or its bytes, got ${shown(file)}`);
  }
  const { size, channels = 3 } = checkDecodeOptions(options);
  const decoded = await decode(typeof file === "string" ? file : { bytes: file, name: "The image" }, options);
  if (size === undefined) return decoded;
  const [h, w] = size;
  const data = new Uint8Array(h * w * channels);
  fitInto(data, [h, w], decoded, options);
  return { data, shape: [h, w, channels] };
}

/** Like `decodeImage`, but writes into the caller's memory. */
export async function decodeInto(
  target: Uint8Array,
  source: ImageSource,
  options: DecodeOptions & { readonly size: readonly [number, number] },
): Promise<void> {
  const scratch = spare.pop() ?? {};
  try {
    fitInto(target, options.size, await decode(source, options, scratch), options);
  } finally {
    if (spare.length < 8) spare.push(scratch);
  }
}

const spare: Scratch[] = [];

/** `[h, w]` of an image when upright, read from its header only. Throws a DataError if the header is damaged. */
export async function imageSize(
  source: ImageSource,
  { orient = true, pixelLimit }: DecodeOptions = {},
): Promise<[number, number]> {
  return described(nameOf(source), async () => {
    const bytes = await contentOf(source);
    const { height, width, orientation } = await sizeOf(bytes);
    checkPixels(height, width, pixelLimit);
    return orient && orientation >= 5 ? [width, height] : [height, width];
  });
}

async function sizeOf(bytes: Uint8Array): Promise<{ height: number; width: number; orientation: number }> {
  if (imageFormat(bytes) === "bmp") return { ...bmpHead(bytes), orientation: 1 };
  const head = jpegHead(bytes);
  return head?.components === undefined ? sizeByVips(bytes) : head;
}

/** Throws a DataError unless the file starts like an image: fast enough for every file of a large folder. */
export async function checkSignature(file: string): Promise<void> {
  await described(file, async () => {
    const start = Buffer.alloc(signatureBytes);
    const handle = await open(file);
    try {
      const { bytesRead } = await handle.read(start, 0, start.length, 0);
      if (bytesRead === 0) throw new DataError("the file is empty");
    } finally {
      await handle.close();
    }
    checkStart(start);
  });
}

/** The image in its own size, upright, with three channels, or one on request. */
async function decode(
  source: ImageSource,
  { orient = true, channels = 3, pixelLimit = defaultPixelLimit }: DecodeOptions,
  scratch?: Scratch,
): Promise<Pixels> {
  return described(nameOf(source), async () => {
    const bytes = await contentOf(source);
    const pixels = await decodeBytes(bytes, { orient, channels, pixelLimit }, scratch);
    return channels === 1 && pixels.shape[2] === 3 ? lumaOf(pixels) : pixels;
  });
}

async function decodeBytes(
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
