import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { DataError } from "../data-error.ts";
import type { Dataset } from "./dataset.ts";

export interface WriteImagesOptions {
  /** PNG keeps every pixel. */
  format?: "png" | "jpeg";
}

/** Writes a data set of bytes as image files, `folder/<class>/<class>.<n>.png`; returns how many. */
export async function writeImageFolder(
  data: Dataset,
  folder: string,
  { format = "png" }: WriteImagesOptions = {},
): Promise<number> {
  const [h, w, c] = data.shape;
  if (data.dtype !== "uint8" || (c !== 1 && c !== 3)) {
    throw new DataError(
      `${data.name}: expected bytes of 1 or 3 channels to write as images, found ${data.dtype} of ${c}`,
    );
  }
  await Promise.all(data.classes.map((name) => mkdir(join(folder, name), { recursive: true })));
  const counts = data.classes.map(() => 0);
  for await (const { images, labels } of data.batches({ batch: 64 })) {
    const files = Array.from(labels, (label) =>
      join(
        folder,
        data.classes[label]!,
        `${data.classes[label]!}.${counts[label]!++}.${format === "png" ? "png" : "jpg"}`,
      ),
    );
    await Promise.all(
      files.map((file, place) => {
        const pixels = images.subarray(place * h * w * c, (place + 1) * h * w * c);
        return sharp(pixels, { raw: { width: w, height: h, channels: c } })
          .toFormat(format)
          .toFile(file);
      }),
    );
  }
  return counts.reduce((sum, count) => sum + count, 0);
}
