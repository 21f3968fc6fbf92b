import { type Batch, type IndexedDataset, resizeInto } from "@convkit/datasets";
import { withImages } from "./with-images.ts";

/** A data set of bytes whose images are resized (bilinear) while they are read. */
export function resizedData(data: IndexedDataset, [height, width]: readonly [number, number]): IndexedDataset {
  const [h, w, channels] = data.shape;
  const resize = (batch: Batch): Batch => {
    const { images, labels } = batch;
    const count = labels.length;
    const made = new Uint8Array(count * height * width * channels);
    for (let i = 0; i < count; i += 1) {
      const pixels = images.subarray(i * h * w * channels, (i + 1) * h * w * channels) as Uint8Array;
      const target = made.subarray(i * height * width * channels, (i + 1) * height * width * channels);
      resizeInto(target, [height, width], { data: pixels, shape: [h, w, channels] }, "bilinear");
    }
    return withImages(batch, made, [count, height, width, channels]);
  };
  return {
    ...data,
    shape: [height, width, channels],
    decoding: data.decoding && { ...data.decoding, size: [height, width] },
    select: (indices, name) => resizedData(data.select(indices, name), [height, width]),
    async *batches(options) {
      for await (const batch of data.batches(options)) yield resize(batch);
    },
  };
}
