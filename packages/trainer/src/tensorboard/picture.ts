import type { IndexedDataset } from "@convkit/datasets";
import sharp from "sharp";
import type { Picture } from "./event-file.ts";

/** One image of a data set as a PNG; floats are stretched from their own range. */
export async function pictureOf(data: IndexedDataset, index: number): Promise<Picture> {
  const [height, width, channels] = data.shape;
  for await (const { images } of data.select([index]).batches({ batch: 1 })) {
    const bytes = images instanceof Uint8Array ? images : stretched(images);
    const raw = { width, height, channels: channels as 1 | 3 };
    return { height, width, channels, png: await sharp(bytes, { raw }).png().toBuffer() };
  }
  throw new Error(`${data.name} has no image ${index}.`);
}

/** Bytes of floats whose lowest value becomes 0 and whose highest 255. */
export function stretched(values: Float32Array): Uint8Array {
  let [min, max] = [Infinity, -Infinity];
  for (const value of values) [min, max] = [Math.min(min, value), Math.max(max, value)];
  const range = max - min || 1;
  return Uint8Array.from(values, (value) => Math.round(((value - min) / range) * 255));
}
