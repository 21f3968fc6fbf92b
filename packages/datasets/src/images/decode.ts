import { open, readFile } from "node:fs/promises";
import sharp from "sharp";
import { gate } from "./concurrency.ts";
import { DataError, reasonOf } from "../data-error.ts";
import { decodeJpeg, isPlainJpeg, jpegHead } from "./jpeg.ts";
import { fitInto, resizeModes } from "./resize/resize.ts";
import type { FitOptions, Pixels } from "./resize/resize.ts";
import { scratchOf } from "./scratch-buffers.ts";
import type { Scratch } from "./scratch-buffers.ts";

export interface DecodeOptions extends FitOptions {
  /** The size to bring the image to; without it, its own. */
  size?: readonly [h: number, w: number] | undefined;
  /** 3 is RGB, 1 is luma (0.299, 0.587, 0.114). An alpha channel is dropped, as Keras drops it. */
  channels?: 1 | 3 | undefined;
  /** Turns the image upright as its EXIF orientation says; Keras does not. */
  orient?: boolean | undefined;
}

/** The names that image files end in. */
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
];

/**
 * The pixels of an image file (or of its bytes), `[h, w, channels]`, 0..255: JPEG, PNG, WebP, AVIF, GIF (its first frame)
 * or TIFF. 16-bit images keep their upper 8 bits; CMYK goes through its colour profile. Throws a `DataError` for what is
 * not a whole image.
 */
export async function decodeImage(file: string | Uint8Array, options: DecodeOptions = {}): Promise<Pixels> {
  const { size, channels = 3 } = checkDecodeOptions(options);
  const decoded = await decode(file, options);
  if (size === undefined) return decoded;
  const [h, w] = size;
  const data = new Uint8Array(h * w * channels);
  fitInto(data, [h, w], decoded, options);
  return { data, shape: [h, w, channels] };
}

/** `decodeImage` into memory that is there already. */
export async function decodeInto(
  target: Uint8Array,
  file: string,
  options: DecodeOptions & { size: readonly [number, number] },
): Promise<void> {
  const scratch = spare.pop() ?? {};
  try {
    fitInto(target, options.size, await decode(file, options, scratch), options);
  } finally {
    if (spare.length < 8) spare.push(scratch);
  }
}

const spare: Scratch[] = [];

/** `[h, w]` of an image file when upright, read from its head only; a `DataError` where that is damaged. */
export async function imageSize(file: string, { orient = true }: DecodeOptions = {}): Promise<[number, number]> {
  const {
    width,
    height,
    orientation = 1,
  } = await described(file, async () => {
    const bytes = await contentOf(file);
    return withItsOwnReason(bytes, () => sharp(bytes).metadata());
  });
  return orient && orientation >= 5 ? [width, height] : [height, width];
}

/** Throws a `DataError` unless the file starts as an image does: quick enough for every file of a large folder. */
export async function checkSignature(file: string): Promise<void> {
  await described(file, async () => {
    const start = Buffer.alloc(12);
    const handle = await open(file);
    try {
      const { bytesRead } = await handle.read(start, 0, start.length, 0);
      if (bytesRead === 0) throw new Error("the file is empty");
    } finally {
      await handle.close();
    }
    checkStart(start);
  });
}

function checkStart(bytes: Uint8Array): void {
  const start = Buffer.from(bytes.subarray(0, 12));
  if (signatures.some((signature) => signature.test(start.toString("latin1")))) return;
  throw new Error(`it starts as no known image does (${start.subarray(0, 4).toString("hex")})`);
}

/** How the files of `imageExtensions` start. */
const signatures = [
  /^\xff\xd8\xff/,
  /^\x89PNG\r\n/,
  /^RIFF.{4}WEBP/s,
  /^.{4}ftyp/s,
  /^GIF8/,
  /^(II\*\0|MM\0\*|II\+\0|MM\0\+)/,
];

/** The options, or a `DataError` for a size or a mode that is none. */
export function checkDecodeOptions(options: DecodeOptions): DecodeOptions {
  const { size, resize, channels } = options;
  if (size !== undefined && (size.length !== 2 || !size.every((side) => Number.isInteger(side) && side > 0))) {
    throw new DataError(`size should be [height, width] in whole pixels from 1, not [${size.join(", ")}]`);
  }
  if (resize !== undefined && !resizeModes.includes(resize)) {
    throw new DataError(`resize should be one of ${resizeModes.join(", ")}, not ${String(resize)}`);
  }
  if (channels !== undefined && channels !== 1 && channels !== 3) {
    throw new DataError(`channels should be 1 or 3, not ${String(channels)}`);
  }
  return options;
}

/** The bytes of the image as it is stored; of three channels, or of the one that is asked for. */
async function decode(
  file: string | Uint8Array,
  { orient = true, channels = 3 }: DecodeOptions,
  scratch?: Scratch,
): Promise<Pixels> {
  return described(file, async () => {
    const bytes = await contentOf(file);
    const head = jpegHead(bytes);
    const quick = isPlainJpeg(head, orient)
      ? await decodeJpeg(bytes, channels, scratchOf(scratch, head.height * head.width * channels))
      : undefined;
    if (quick !== undefined) return quick;
    // A profile of an RGB file is left alone, as TensorFlow does.
    const { data, info } = await withItsOwnReason(bytes, () => {
      const image = sharp(bytes, { failOn: "error", autoOrient: orient, ignoreIcc: head?.components !== 4 });
      const plain = image.toColourspace("srgb").removeAlpha().raw({ depth: "uchar" });
      return plain.toBuffer({ resolveWithObject: true });
    });
    const pixels: Pixels = { data, shape: [info.height, info.width, info.channels] };
    return channels === 1 && info.channels === 3 ? lumaOf(pixels) : pixels;
  });
}

async function described<Result>(file: string | Uint8Array, work: () => Promise<Result>): Promise<Result> {
  const name = typeof file === "string" ? file : "The image";
  try {
    return await work();
  } catch (error) {
    throw new DataError(`${name} cannot be decoded: ${reasonOf(error)}`, { cause: error });
  }
}

/** Why an image could not be decoded, without its name. */
export function decodingFailure(error: unknown): string {
  return reasonOf(error instanceof DataError ? (error.cause ?? error) : error);
}

const libvips = gate();

/**
 * libvips has one place for its complaints, which every image under way writes to and empties: what fails beside others is tried
 * again alone, so that the reason is this image's. Of bytes that are no image, the same is said wherever that is found.
 */
async function withItsOwnReason<Result>(bytes: Uint8Array, work: () => Promise<Result>): Promise<Result> {
  try {
    return await libvips.together(work);
  } catch {
    return await libvips.alone(work).catch((error: unknown) => {
      checkStart(bytes);
      throw error;
    });
  }
}

async function contentOf(file: string | Uint8Array): Promise<Uint8Array> {
  const bytes = typeof file === "string" ? await readFile(file) : file;
  if (bytes.length === 0) throw new Error("the file is empty");
  return bytes;
}

function lumaOf({ data, shape: [h, w] }: Pixels): Pixels {
  const luma = new Uint8Array(h * w);
  for (let pixel = 0, from = 0; pixel < luma.length; pixel++, from += 3) {
    luma[pixel] = 0.299 * data[from]! + 0.587 * data[from + 1]! + 0.114 * data[from + 2]! + 0.5;
  }
  return { data: luma, shape: [h, w, 1] };
}
