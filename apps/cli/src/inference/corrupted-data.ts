import type { Batch, IndexedDataset } from "@convkit/datasets";
import type { ImageChange, Photo } from "@convkit/inspect";
import sharp from "sharp";
import { withImages } from "../inputs/with-images.ts";
import { CliError } from "../terminal/usage-error.ts";

/** A data set of bytes whose images are changed while they are read. */
export function changedData(data: IndexedDataset, change: ImageChange): IndexedDataset {
  const [height, width, channels] = data.shape;
  const size = height * width * channels;
  const changed = async (batch: Batch): Promise<Batch> => {
    const { images, indices, labels, shape } = batch;
    if (!(images instanceof Uint8Array))
      throw new CliError(`${data.name} has images of numbers: corruptions are made for bytes from 0 to 255.`);
    const made = new Uint8Array(images.length);
    for (let i = 0; i < labels.length; i += 1)
      made.set(await change(images.subarray(i * size, (i + 1) * size), data.shape, indices[i]!), i * size);
    return withImages(batch, made, shape);
  };
  return {
    ...data,
    select: (indices, name) => changedData(data.select(indices, name), change),
    async *batches(options) {
      for await (const batch of data.batches(options)) {
        yield await changed(batch);
        batch.release?.();
      }
    },
  };
}

/** Photographs of frost from files, as colors. */
export async function photosOf(paths: readonly string[]): Promise<Photo[]> {
  return Promise.all(
    paths.map(async (path) => {
      const { data, info } = await sharp(path)
        .toColorspace("srgb")
        .removeAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true })
        .catch((error: unknown) => {
          throw new CliError(`Expected a photograph in ${path}: ${(error as Error).message}.`, { cause: error });
        });
      return { pixels: data, shape: [info.height, info.width, info.channels] as const };
    }),
  );
}

/** JPEG with ImageNet-C's qualities. */
export function jpeg(severity: number): ImageChange {
  const quality = [25, 18, 15, 10, 7][severity - 1]!;
  return async (pixels, [height, width, channels]) => {
    const raw = { height, width, channels: channels as 1 | 3 };
    const file = await sharp(pixels, { raw }).jpeg({ quality }).toBuffer();
    const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
    // A gray image comes back with one channel or with three equal ones.
    return info.channels === channels ? data : data.filter((_, i) => i % info.channels === 0);
  };
}
