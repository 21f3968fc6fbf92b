import { decodeBytes, sizeOf } from "@convkit/datasets/platform";
import { shown } from "@convkit/errors";
import { DataError } from "../data-error.ts";
import { checkDecodeOptions, checkNames, checkPixels, decodeOptionNames, defaultPixelLimit } from "./decode-options.ts";
import type { DecodeOptions } from "./decode-options.ts";
import { checkStart, signatureBytes } from "./image-format.ts";
import { contentOf, startOf } from "./image-content.ts";
import { type ImageSource, nameOf } from "./image-source.ts";
import { described } from "./decoding-failure.ts";
import { lumaOf } from "./luma.ts";
import { fitInto } from "./resize/resize.ts";
import type { Pixels } from "./resize/resize.ts";
import type { Scratch } from "./scratch-buffers.ts";

/**
 * Decodes an image file (or its bytes, or a Blob) to `[h, w, channels]`, 0..255: JPEG, PNG, WebP, AVIF, GIF, TIFF or BMP, whatever
 * the file's name. Animations give their first frame, 16-bit images their upper 8 bits, and CMYK the same RGB as
 * Pillow. Throws a DataError for bytes that are not a complete image, for a TIFF of floats, and for more pixels than
 * `pixelLimit`. In a web page a text is an address, and the browser decodes; the README says how near the values are.
 */
export async function decodeImage(file: string | Uint8Array | Blob, options: DecodeOptions = {}): Promise<Pixels> {
  checkNames("decodeImage", options, decodeOptionNames);
  const source = sourceOf(file);
  const { size, channels = 3 } = checkDecodeOptions(options);
  const decoded = await decode(source, options);
  if (size === undefined) return decoded;
  const [h, w] = size;
  const data = new Uint8Array(h * w * channels);
  fitInto(data, [h, w], decoded, options);
  return { data, shape: [h, w, channels] };
}

function sourceOf(file: unknown): ImageSource {
  if (typeof file === "string") return file;
  if (file instanceof Uint8Array) return { bytes: file, name: "The image" };
  if (file instanceof Blob) return { content: file, name: file instanceof File ? file.name : "The image" };
  throw new DataError(`decodeImage: expected the path of an image file, its bytes or a Blob, got ${shown(file)}`);
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

/** Like `imageSize`, but decodes the image. Throws a DataError if it is damaged. */
export async function decodedSize(source: ImageSource, options: DecodeOptions): Promise<[number, number]> {
  const [h, w] = (await decode(source, options)).shape;
  return [h, w];
}

/** Throws a DataError unless the file starts like an image: fast enough for every file of a large folder. */
export async function checkSignature(source: ImageSource): Promise<void> {
  await described(nameOf(source), async () => checkStart(await startOf(source, signatureBytes)));
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
