import { join } from "node:path";
import { makeFolder } from "@convkit/files";
import { shown } from "@convkit/errors";
import sharp from "sharp";
import { DataError, reasonOf } from "../data-error.ts";
import { className, folderName } from "../folders/class-names.ts";
import { checkNames } from "../images/decode-options.ts";
import type { Dataset } from "./dataset.ts";

export interface WriteImagesOptions {
  /** "png" keeps every pixel; "png" by default. */
  readonly format?: "png" | "jpeg" | undefined;
}

/**
 * Writes a data set of bytes as image files, `folder/<class>/<class>.<n>.png`, and returns their number. Characters
 * that a folder's name cannot have become %XX ("T-shirt%2Ftop"); `imageFolder` decodes them. Throws a DataError for
 * floats, for channel counts other than 1 and 3, and for classes that would share a folder.
 */
export async function writeImageFolder(
  data: Dataset,
  folder: string,
  options: WriteImagesOptions = {},
): Promise<number> {
  checkNames("writeImageFolder", options, { format: true });
  const { format = "png" } = options;
  if (format !== "png" && format !== "jpeg") throw new DataError(`format should be png or jpeg, not ${shown(format)}`);
  const [h, w, c] = data.shape;
  if (data.dtype !== "uint8" || (c !== 1 && c !== 3)) {
    throw new DataError(
      `${data.name}: expected bytes of 1 or 3 channels to write as images, found ${data.dtype} of ${c}`,
    );
  }
  const folders = data.classes.map((name) => folderName(name));
  if (new Set(folders.map((name) => className(name))).size < folders.length) {
    throw new DataError(`${data.name}: expected different names of classes, got ${data.classes.join(", ")}`);
  }
  await Promise.all(folders.map((name) => makeFolder(join(folder, name))));
  const counts = data.classes.map(() => 0);
  for await (const { images, labels } of data.batches({ batch: 64 })) {
    const files = Array.from(labels, (label) =>
      join(folder, folders[label]!, `${folders[label]!}.${counts[label]!++}.${format === "png" ? "png" : "jpg"}`),
    );
    await Promise.all(
      files.map(async (file, place) => {
        const pixels = images.subarray(place * h * w * c, (place + 1) * h * w * c);
        const image = sharp(pixels, { raw: { width: w, height: h, channels: c } }).toFormat(format);
        await image.toFile(file).catch((error: unknown) => {
          throw new DataError(`${file} cannot be written: ${reasonOf(error)}`);
        });
      }),
    );
  }
  return counts.reduce((sum, count) => sum + count, 0);
}
