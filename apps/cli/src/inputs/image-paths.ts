import { stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { decodeImage, decodingFailure, imagesIn } from "@convkit/datasets";
import type { Context } from "../terminal/context.ts";
import { userPath } from "./user-path.ts";

/** An image file, and whether the user named it rather than its folder. */
export interface FoundImage {
  readonly file: string;
  readonly named: boolean;
}

/** The file itself, or the images of a folder and of those in it. */
export async function foundImages(path: string): Promise<FoundImage[]> {
  const whole = userPath(path);
  if (!(await stat(whole)).isDirectory()) return [{ file: path, named: true }];
  return imagesIn(whole).map((file) => ({ file: join(path, relative(whole, file)), named: false }));
}

/**
 * The files that can be read and their pixels, one image after the other: what lies in a folder and cannot be read is left out
 * and told, unless `strict`.
 */
export async function decodedImages(
  context: Context,
  found: readonly FoundImage[],
  [height, width, channels]: readonly [number, number, 1 | 3],
  strict: boolean,
): Promise<{ readonly files: readonly string[]; readonly data: Uint8Array }> {
  const images = await Promise.all(
    found.map(async ({ file, named }) => {
      try {
        return { file, pixels: (await decodeImage(userPath(file), { size: [height, width], channels })).data };
      } catch (error) {
        if (strict || named) throw error;
        context.out.note(`left out ${file}: ${decodingFailure(error)}`);
        return undefined;
      }
    }),
  );
  const whole = images.filter((image) => image !== undefined);
  const size = height * width * channels;
  const data = new Uint8Array(whole.length * size);
  for (const [place, { pixels }] of whole.entries()) data.set(pixels, place * size);
  return { files: whole.map(({ file }) => file), data };
}
