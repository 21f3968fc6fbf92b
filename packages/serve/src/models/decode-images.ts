import type { ImageFit } from "@convkit/core";
import { decodeImage } from "@convkit/datasets";
import { stackRows } from "../batching/rows.ts";
import { RequestError } from "../http/request-error.ts";
import type { Port } from "../protocols/open-inference-body.ts";
import { mostImages, type NamedImages, type NamedTensor } from "../protocols/tensor.ts";

/** Decodes image files to the model's input of that name: `[n, h, w, channels]`, 0 to 255, as in training. */
export async function decodeImages(
  { name, images: files }: NamedImages,
  inputs: readonly Port[],
  { size = [224, 224], ...fit }: ImageFit,
  pixelLimit: number,
): Promise<NamedTensor> {
  const shape = inputs.find((input) => input.name === name)?.shape ?? [];
  const [, height, width, channels] = shape;
  if (shape.length !== 4 || (channels !== 1 && channels !== 3))
    throw new RequestError(400, `The input "${name.slice(0, 80)}" takes no images of 1 or 3 channels: send tensors.`);
  if (files.length < 1 || files.length > mostImages)
    throw new RequestError(400, `The input ${name}: expected 1 to ${mostImages} images, got ${files.length}.`);
  const to = [height ?? size[0], width ?? size[1]] as const;
  const images = await Promise.all(files.map((file) => decodeImage(file, { ...fit, size: to, channels, pixelLimit })));
  const rows = images.map(({ data, shape: pixels }) => [{ data, shape: [1, ...pixels] }]);
  const [{ data, shape: whole }] = stackRows(rows, rows.length) as [NamedTensor];
  return { name, data, shape: whole };
}
