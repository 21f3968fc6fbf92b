import { DataError, type IndexedDataset } from "@convkit/datasets";
import { stretchToBytes } from "@convkit/trainer/internal";
import sharp from "sharp";

/** An encoded image. */
interface Png {
  readonly width: number;
  readonly png: Uint8Array;
}

/** Image `index` of a data set as a PNG; floats are stretched from their own range to 0..255. */
export async function imagePng(data: IndexedDataset, index: number): Promise<Png> {
  const [height, width, channels] = data.shape;
  for await (const { images } of data.select([index]).batches({ batch: 1 })) {
    const bytes = images instanceof Uint8Array ? images : stretchToBytes(images);
    const raw = { width, height, channels: channels as 1 | 3 };
    return { width, png: await sharp(bytes, { raw }).png().toBuffer() };
  }
  throw new DataError(`${data.name}: image ${index} can no longer be read`);
}
