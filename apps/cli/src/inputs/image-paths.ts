import { stat } from "node:fs/promises";
import { join, relative } from "node:path";
import type { ImageFit } from "@convkit/core";
import { decodeImage, decodingFailure, imagesIn } from "@convkit/datasets";
import type { Context } from "../terminal/context.ts";
import { userPath } from "./user-path.ts";

/** An image file. */
export interface ImagePath {
  readonly file: string;
  /** True if the user named the file itself, not its folder. */
  readonly named: boolean;
}

/** The file itself, or all images in a folder and its subfolders. */
export async function imagePaths(path: string): Promise<ImagePath[]> {
  const absolute = userPath(path);
  if (!(await stat(absolute)).isDirectory()) return [{ file: path, named: true }];
  return imagesIn(absolute).map((file) => ({ file: join(path, relative(absolute, file)), named: false }));
}

/** The pixels that images are decoded to. */
export interface DecodedShape {
  readonly shape: readonly [height: number, width: number, channels: 1 | 3];
  /** How an image is resized and turned. */
  readonly fit: ImageFit;
  readonly strict: boolean;
}

/**
 * Decodes images into one array, one after the other. An unreadable image of a folder is skipped with a note; with `strict`, or
 * if the user named the file, it throws.
 */
export async function decodedImages(
  context: Context,
  paths: readonly ImagePath[],
  { shape: [height, width, channels], fit, strict }: DecodedShape,
): Promise<{ readonly files: readonly string[]; readonly data: Uint8Array }> {
  const images = await Promise.all(
    paths.map(async ({ file, named }) => {
      try {
        return { file, pixels: (await decodeImage(userPath(file), { ...fit, size: [height, width], channels })).data };
      } catch (error) {
        if (strict || named) throw error;
        context.out.note(`left out ${file}: ${decodingFailure(error)}`);
        return undefined;
      }
    }),
  );
  const decoded = images.filter((image) => image !== undefined);
  const size = height * width * channels;
  const data = new Uint8Array(decoded.length * size);
  for (const [place, { pixels }] of decoded.entries()) data.set(pixels, place * size);
  return { files: decoded.map(({ file }) => file), data };
}
