import { checkOptions, checkValues, shown, trueOrFalse } from "@convkit/errors";
import type { OptionNames, ValueRule } from "@convkit/errors";
import { DataError } from "../data-error.ts";
import { resizeModes } from "./resize/resize.ts";
import type { FitOptions } from "./resize/resize.ts";

export interface DecodeOptions extends FitOptions {
  /** The size of the result; by default the image's own size. */
  readonly size?: readonly [h: number, w: number] | undefined;
  /** 3 gives RGB, 1 gives luma (0.299, 0.587, 0.114); 3 by default. An alpha channel is dropped, as in Keras. */
  readonly channels?: 1 | 3 | undefined;
  /** Turns the image upright by its EXIF orientation; true by default. Keras does not turn images. */
  readonly orient?: boolean | undefined;
  /**
   * The most pixels that an image may declare, so that a small file cannot exhaust the memory; 89,478,485 (Pillow's
   * limit) by default.
   */
  readonly pixelLimit?: number | undefined;
}

export const decodeOptionNames: OptionNames<DecodeOptions> = {
  size: true,
  channels: true,
  orient: true,
  pixelLimit: true,
  resize: true,
  crop: true,
};

/** Pillow's MAX_IMAGE_PIXELS: a quarter of 2^30 bytes, at 3 bytes a pixel. */
export const defaultPixelLimit = 89_478_485;

/** Returns the options. Throws a DataError for an invalid value. */
export function checkDecodeOptions<Options extends DecodeOptions>(options: Options): Options {
  const { size, resize, crop, channels, pixelLimit } = options;
  if (size !== undefined && !(Array.isArray(size) && size.length === 2 && size.every(isCount))) {
    throw new DataError(
      `size should be [height, width] in whole pixels from 1, not ${Array.isArray(size) ? `[${size.join(", ")}]` : shown(size)}`,
    );
  }
  if (resize !== undefined && !resizeModes.includes(resize)) {
    throw new DataError(`resize should be one of ${resizeModes.join(", ")}, not ${String(resize)}`);
  }
  const isShare = typeof crop === "number" && crop > 0 && crop <= 1;
  if (crop !== undefined && typeof crop !== "boolean" && !isShare) {
    throw new DataError(`crop should be true, false or a share of the image from 0 to 1, not ${shown(crop)}`);
  }
  if (channels !== undefined && channels !== 1 && channels !== 3) {
    throw new DataError(`channels should be 1 or 3, not ${String(channels)}`);
  }
  if (pixelLimit !== undefined && !isCount(pixelLimit)) {
    throw new DataError(`pixelLimit should be a whole number from 1, not ${shown(pixelLimit)}`);
  }
  checkDataValues("images", options, { orient: trueOrFalse });
  return options;
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) > 0;
}

/** Throws a DataError for options that are not in `names`. */
export function checkNames<T extends object>(where: string, options: T | undefined, names: OptionNames<T>): void {
  checkOptions(where, options, names, (message) => new DataError(message));
}

/** Throws a DataError for an option whose value its rule excludes. */
export function checkDataValues<T extends object>(
  where: string,
  options: T,
  rules: { readonly [Key in keyof T]?: ValueRule },
): void {
  checkValues(where, options, rules, (message) => new DataError(message));
}

/** Throws if an image of this size has more pixels than `limit`. */
export function checkPixels(height: number, width: number, limit = defaultPixelLimit): void {
  if (height * width <= limit) return;
  throw new DataError(
    `it says it is ${height}x${width}, which is more than ${limit} pixels; if you trust the file, raise pixelLimit`,
  );
}
