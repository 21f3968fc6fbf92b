import type { ImageFit } from "@convkit/core";
import { OptionError, shown } from "@convkit/errors";
import type { Feed } from "@convkit/graph";
import { imageFile } from "@convkit/predict/platform";
import type { Tensor, Tensor3D } from "@tensorflow/tfjs-core";

/**
 * An image: the path or URL of a file (in a web page an address, relative to the page's), the bytes of a file, a `Blob` or `File`, or
 * pixels from 0 to 255 in the size of the model's input, as `[h, w, c]` in a tensor or as `{ data, shape }`.
 */
export type ImageSource = string | URL | Uint8Array | Blob | Tensor3D | Feed;

/** True for a tensor of tfjs, which is not loaded for the question. */
export function isTensor(value: unknown): value is Tensor {
  const { dataSync, rank } = (typeof value === "object" && value !== null ? value : {}) as Partial<Tensor>;
  return typeof dataSync === "function" && typeof rank === "number";
}

/** What a model expects of an image. */
export interface WantedImage {
  readonly where: string;
  /** Height, width and channels of the model's input; null takes any size. */
  readonly shape: readonly [height: number | null, width: number | null, channels: number];
  /** How files are decoded to that size. */
  readonly fit: ImageFit;
}

/** The pixels of one image, `[h, w, c]`. Files are decoded, resized and turned as the model was trained; pixels must fit. */
export async function imagePixels(image: ImageSource, wanted: WantedImage): Promise<Feed> {
  if (isTensor(image)) return checkPixels({ data: await image.data(), shape: image.shape }, wanted);
  if (image instanceof Blob) return decodedPixels(new Uint8Array(await image.arrayBuffer()), wanted);
  if (image instanceof Uint8Array || typeof image === "string" || image instanceof URL) {
    return decodedPixels(image, wanted);
  }
  return checkPixels(image, wanted);
}

async function decodedPixels(image: string | URL | Uint8Array, wanted: WantedImage): Promise<Feed> {
  const { where, shape, fit } = wanted;
  const [height, width, channels] = shape;
  if (channels !== 1 && channels !== 3) {
    throw new OptionError(
      `${where}: expected pixels as { data, shape }, since the model takes ${channels} channels, got an image file, which has 1 or 3.`,
    );
  }
  const { decodeImage } = await import("@convkit/datasets");
  const { size = [224, 224], ...rest } = fit;
  const to: [number, number] = [height ?? size[0], width ?? size[1]];
  return decodeImage(await imageFile(image, where), { ...rest, size: to, channels });
}

function checkPixels(image: unknown, { where, shape: [height, width, channels] }: WantedImage): Feed {
  const { data, shape } = (typeof image === "object" && image !== null ? image : {}) as Partial<Feed>;
  const isFeed = ArrayBuffer.isView(data) && Array.isArray(shape);
  if (!isFeed) {
    throw new OptionError(
      `${where}: expected an image as a file's path, URL, bytes or Blob, a tensor [h, w, c], or { data, shape }, got ${shown(image)}.`,
    );
  }
  const wanted = [height, width, channels];
  const fits = shape.length === 3 && wanted.every((size, axis) => size === null || size === shape[axis]);
  if (!fits || data.length !== shape.reduce((product, size) => product * size, 1)) {
    throw new OptionError(
      `${where}: expected pixels of the model's size ${wanted.map((size) => size ?? "any").join("x")}, got ${shape.join("x")}` +
        `${fits ? ` with ${data.length} values` : ""}; give the file or its bytes, which are resized, or resize the pixels.`,
    );
  }
  return { data, shape };
}
