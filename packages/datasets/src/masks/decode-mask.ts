import { DataError, reasonOf } from "../data-error.ts";
import { decodeImage } from "../images/decode.ts";
import { contentOf } from "../images/image-content.ts";
import { imageFormat } from "../images/image-format.ts";
import { type ImageSource, nameOf } from "../images/image-source.ts";
import { checkPngHead } from "../images/png-head.ts";
import { pngSamples } from "./png-samples.ts";

/** A mask in its own size: the stored value of each pixel, `[h, w]`. */
export interface Mask {
  readonly data: Uint8Array;
  readonly size: readonly [height: number, width: number];
}

/**
 * Reads a mask file: gray values or palette indices of a PNG as they are stored, or the gray of another lossless image.
 * Throws a `DataError` for a JPEG, whose compression changes values, for colors, and for values above 255.
 */
export async function decodeMask(source: ImageSource, pixelLimit?: number): Promise<Mask> {
  try {
    const bytes = await contentOf(source);
    const format = imageFormat(bytes);
    if (format === "jpeg")
      throw new DataError("it is a JPEG, whose compression changes class numbers: store masks as PNG");
    if (format === "png") {
      checkPngHead(bytes);
      const samples = await pngSamples(bytes, pixelLimit);
      if (samples !== undefined) return bytesOf(samples.data, [samples.height, samples.width]);
    }
    const { data, shape } = await decodeImage(bytes, {
      orient: false,
      ...(pixelLimit !== undefined && { pixelLimit }),
    });
    return grayOf(data, [shape[0], shape[1]]);
  } catch (error) {
    throw new DataError(`The mask ${nameOf(source)} cannot be used: ${reasonOf(causeOf(error))}`, { cause: error });
  }
}

/** The reason without the sentence around it. */
function causeOf(error: unknown): unknown {
  return error instanceof DataError && error.cause !== undefined ? error.cause : error;
}

function bytesOf(data: Uint8Array | Uint16Array, size: Mask["size"]): Mask {
  if (data instanceof Uint8Array) return { data, size };
  const large = data.find((value) => value > 255);
  if (large !== undefined) throw new DataError(`it has the value ${large}; class numbers run from 0 to 255`);
  return { data: Uint8Array.from(data), size };
}

/** One channel of an image whose channels are equal. */
function grayOf(rgb: Uint8Array, size: Mask["size"]): Mask {
  const data = new Uint8Array(rgb.length / 3);
  for (let pixel = 0, from = 0; pixel < data.length; pixel += 1, from += 3) {
    const [red, green, blue] = [rgb[from]!, rgb[from + 1]!, rgb[from + 2]!];
    if (red !== green || red !== blue)
      throw new DataError(
        `it has colors (${red}, ${green}, ${blue}); expected a class number for each pixel: store it as a grayscale or palette PNG`,
      );
    data[pixel] = red;
  }
  return { data, size };
}
