import sharp from "sharp";
import type { Sharp } from "sharp";
import { DataError } from "../data-error.ts";
import { gate } from "./gate.ts";
import { checkPixels } from "./decode-options.ts";
import { checkStart, imageFormat } from "./image-format.ts";
import type { ImageFormat } from "./image-format.ts";
import { checkPngHead } from "./png-head.ts";
import type { Pixels } from "./resize/resize.ts";

export interface VipsDecoding {
  readonly format: ImageFormat | undefined;
  /** Turns the image upright by the EXIF orientation that libvips finds. */
  readonly orient: boolean;
  readonly pixelLimit: number;
  /** True for CMYK; for a TIFF, libvips finds it out here. */
  readonly isCmyk: boolean;
}

/** Decodes an image file's bytes with libvips to `[h, w, 3]`, or `[h, w, 1]` for gray. */
export async function decodeByVips(bytes: Uint8Array, decoding: VipsDecoding): Promise<Pixels> {
  const { format, orient, pixelLimit } = decoding;
  let { isCmyk } = decoding;
  if (format !== "jpeg") {
    const { width, height, depth, space } = await metadataOf(bytes);
    checkPixels(height, width, pixelLimit);
    if (format === "tiff" && depth !== "uchar" && depth !== "ushort") {
      throw new DataError(
        `its pixels are of the type ${depth}, which says nothing of black and white; save it with 8 or 16 bits`,
      );
    }
    isCmyk = space === "cmyk";
  }
  return withItsOwnReason(bytes, async () => {
    // The color profile of an RGB file is ignored, as in TensorFlow.
    const image = sharp(bytes, { failOn: "error", autoOrient: orient, ignoreIcc: true, limitInputPixels: false });
    return isCmyk
      ? cmykToRgb(await raw(image.pipelineColourspace("cmyk").toColourspace("cmyk")))
      : raw(image.toColourspace("srgb").removeAlpha());
  });
}

/** `[h, w]` and EXIF orientation of an image file's bytes, from its header only. */
export async function sizeByVips(bytes: Uint8Array): Promise<{ height: number; width: number; orientation: number }> {
  const { width, height, orientation = 1 } = await metadataOf(bytes);
  return { width, height, orientation };
}

async function metadataOf(bytes: Uint8Array) {
  // libvips would decode other formats too, SVG among them.
  checkStart(bytes);
  if (imageFormat(bytes) === "png") checkPngHead(bytes);
  return withItsOwnReason(bytes, () => sharp(bytes, { limitInputPixels: false }).metadata());
}

async function raw(image: Sharp): Promise<Pixels> {
  const { data, info } = await image.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  return { data, shape: [info.height, info.width, info.channels] };
}

/** RGB from CMYK by Pillow's formula: each color is (1 - ink) * (1 - black). */
function cmykToRgb({ data, shape: [h, w, c] }: Pixels): Pixels {
  const rgb = new Uint8Array(h * w * 3);
  for (let pixel = 0, from = 0; pixel < h * w; pixel++, from += c) {
    const white = 255 - data[from + 3]!;
    for (let channel = 0; channel < 3; channel++) {
      rgb[pixel * 3 + channel] = ((255 - data[from + channel]!) * white) / 255 + 0.5;
    }
  }
  return { data: rgb, shape: [h, w, 3] };
}

const vips = gate();

/**
 * libvips has one buffer for its messages, which all running jobs write to and clear. Work that fails while other work
 * runs is repeated alone, so that the message belongs to this image. Bytes that are not an image give the same message
 * either way.
 */
async function withItsOwnReason<Result>(bytes: Uint8Array, work: () => Promise<Result>): Promise<Result> {
  try {
    return await vips.together(work);
  } catch {
    return await vips.alone(work).catch((error: unknown) => {
      checkStart(bytes);
      throw error;
    });
  }
}
