import { existsSync } from "node:fs";
import type { IndexedDataset } from "@convkit/datasets";
import type { JudgedBatch } from "@convkit/trainer";
import sharp from "sharp";

/** Images above `from` up to `to`, and the share whose class is right; null without images. */
export interface Slice {
  readonly from: number;
  readonly to: number | null;
  readonly images: number;
  readonly accuracy: number | null;
}

/** Accuracy by the confidence of the answer and by the size of the image file. */
export interface Slices {
  add(judged: JudgedBatch): Promise<void>;
  byConfidence(): Slice[];
  /** By the longer side in pixels; empty if the images are not files. */
  bySize(): Slice[];
}

/** Gathers slices of an evaluation of `data`. */
export function slicesOf(data: IndexedDataset): Slices {
  const confidence = counter([0.5, 0.7, 0.9, 0.99, 1]);
  const sizes = counter([64, 128, 256, 512, 1024, Infinity]);
  return {
    async add({ indices, labels, predicted, probability }) {
      for (const [i, sure] of probability.entries()) {
        const isRight = labels[i] === predicted[i];
        confidence.add(sure, isRight);
        const file = data.describe(indices[i]!);
        if (!existsSync(file)) continue;
        const { width, height } = await sharp(file).metadata();
        sizes.add(Math.max(width, height), isRight);
      }
    },
    byConfidence: () => confidence.slices(),
    bySize: () => (sizes.slices().some(({ images }) => images > 0) ? sizes.slices() : []),
  };
}

function counter(limits: readonly number[]) {
  const counts = limits.map(() => ({ images: 0, right: 0 }));
  return {
    add(value: number, isRight: boolean): void {
      const place = limits.findIndex((limit) => value <= limit);
      const count = counts[place === -1 ? limits.length - 1 : place]!;
      count.images += 1;
      count.right += isRight ? 1 : 0;
    },
    slices: (): Slice[] =>
      counts.map(({ images, right }, i) => ({
        from: limits[i - 1] ?? 0,
        to: Number.isFinite(limits[i]) ? limits[i]! : null,
        images,
        accuracy: images === 0 ? null : right / images,
      })),
  };
}

/** The slice's limits as text: confidences in percent, or pixels. */
export function sliceLimits({ from, to }: Slice, unit: "%" | "pixels"): string {
  const scale = unit === "%" ? 100 : 1;
  return to === null ? `above ${scale * from} ${unit}` : `${scale * from} to ${scale * to} ${unit}`;
}
