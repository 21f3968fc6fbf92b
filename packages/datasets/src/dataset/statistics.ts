import type { Dataset } from "./dataset.ts";
import { DataError } from "../data-error.ts";

/** Statistics of each channel over all pixels of all images; bytes are divided by 255 first. */
export interface PixelStatistics {
  mean: number[];
  std: number[];
}

/** Mean and (population) standard deviation of each channel, `[c]`; normalisation subtracts and divides by them. */
export async function pixelStatistics(data: Dataset): Promise<PixelStatistics> {
  const channels = data.shape[2];
  const sums = new Float64Array(channels);
  const squares = new Float64Array(channels);
  let pixels = 0;
  // Sums of bytes and of their squares are integers far below 2^53, so they are exact.
  for await (const { images } of data.batches({ batch: 128 })) {
    for (let at = 0; at < images.length; at += channels)
      for (let channel = 0; channel < channels; channel++) {
        const value = images[at + channel]!;
        sums[channel]! += value;
        squares[channel]! += value * value;
      }
    pixels += images.length / channels;
  }
  if (pixels === 0) throw new DataError(`${data.name} has no image to take a mean of`);
  const scale = data.dtype === "uint8" ? 255 : 1;
  const mean = Array.from(sums, (sum) => sum / pixels);
  const std = mean.map((value, channel) => Math.sqrt(Math.max(0, squares[channel]! / pixels - value * value)) / scale);
  return { mean: mean.map((value) => value / scale), std };
}

/** Number of images per class, `[classes]`. Counts the labels and reads no image. */
export function classCounts({ labels, classes }: { labels: Int32Array; classes: readonly string[] }): number[] {
  const counts = classes.map(() => 0);
  for (const label of labels) counts[label]!++;
  return counts;
}
