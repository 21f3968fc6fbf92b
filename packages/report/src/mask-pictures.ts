import { DataError, type IndexedDataset } from "@convkit/datasets";
import type { MaskExample } from "@convkit/trainer";
import { stretchToBytes } from "@convkit/trainer/internal";
import sharp from "sharp";

/** Red, green and blue of each class after the first; further classes begin again. The first class stays uncolored. */
const maskColors = [
  [230, 60, 60],
  [50, 130, 230],
  [50, 180, 90],
  [240, 180, 40],
  [160, 80, 210],
  [40, 190, 190],
  [240, 120, 40],
  [230, 90, 170],
  [130, 150, 40],
  [120, 100, 90],
] as const;

/** The color of a class; undefined for the first, which is usually the background. */
export function colorOf(label: number): readonly [number, number, number] | undefined {
  return label === 0 ? undefined : maskColors[(label - 1) % maskColors.length];
}

/** An image, and the same with its true and with its predicted mask on it, as PNG. */
export interface MaskPictures {
  readonly width: number;
  readonly image: Uint8Array;
  readonly actual: Uint8Array;
  readonly predicted: Uint8Array;
}

/** Draws an example of an evaluation. Pixels that are not judged are gray in the true mask. */
export async function maskPictures(
  data: IndexedDataset,
  { index, actual, predicted }: Pick<MaskExample, "index" | "actual" | "predicted">,
  ignore: number | undefined,
): Promise<MaskPictures> {
  const [height, width, channels] = data.shape;
  for await (const { images } of data.select([index]).batches({ batch: 1 })) {
    const pixels = images instanceof Uint8Array ? images : stretchToBytes(images);
    const rgb = Uint8Array.from({ length: height * width * 3 }, (_, i) =>
      channels === 3 ? pixels[i]! : pixels[Math.floor(i / 3) * channels]!,
    );
    const png = (bytes: Uint8Array) =>
      sharp(bytes, { raw: { width, height, channels: 3 } })
        .png()
        .toBuffer();
    return {
      width,
      image: await png(rgb),
      actual: await png(overlaid(rgb, actual, ignore)),
      predicted: await png(overlaid(rgb, predicted, undefined)),
    };
  }
  throw new DataError(`${data.name}: image ${index} can no longer be read`);
}

/** The pixels, each half of its class's color. `[h, w, 3], [h, w] -> [h, w, 3]` */
export function overlaid(rgb: Uint8Array, classes: ArrayLike<number>, ignore: number | undefined): Uint8Array {
  return rgb.map((value, i) => {
    const label = classes[Math.floor(i / 3)]!;
    const color = label === ignore ? ([128, 128, 128] as const) : colorOf(label);
    return color === undefined ? value : Math.round((value + color[i % 3]!) / 2);
  });
}
