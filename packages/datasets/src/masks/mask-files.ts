import { availableParallelism } from "@convkit/datasets/platform";
import pMap from "p-map";
import { DataError } from "../data-error.ts";
import type { Target } from "../dataset/dataset.ts";
import { imageSize } from "../images/decode.ts";
import type { DecodeOptions } from "../images/decode-options.ts";
import { type ImageSource, nameOf } from "../images/image-source.ts";
import { fitInto } from "../images/resize/resize.ts";
import { decodeMask } from "./decode-mask.ts";

/** What the values of mask files mean. */
export interface MaskOptions {
  /**
   * The names of the classes, in the order of their numbers. By default the numbers that the masks have, which must be
   * 0, 1, 2 … without gaps, or 0 and 255 for two classes.
   */
  readonly names?: readonly string[] | undefined;
  /** The value of pixels that are not judged, such as 255; none by default. */
  readonly ignore?: number | undefined;
}

/** What the values of a data set's masks mean. */
export interface MaskMeaning {
  readonly names: readonly string[];
  readonly ignore: number | undefined;
  /** True where 255 stands for the class 1. */
  readonly isBlackAndWhite: boolean;
}

const atOnce = { concurrency: Math.max(4, availableParallelism()) };

/** Finds the classes of masks by reading all of them once. Throws a `DataError` for values that are no class numbers. */
export async function meaningOf(
  name: string,
  files: readonly ImageSource[],
  { names, ignore }: MaskOptions,
  pixelLimit?: number,
): Promise<MaskMeaning> {
  checkMaskOptions({ names, ignore });
  const found = new Map<number, string>();
  await pMap(
    [...new Set(files)],
    async (file) => {
      const seen = new Uint8Array(256);
      for (const value of (await decodeMask(file, pixelLimit)).data) seen[value] = 1;
      for (const [value, isThere] of seen.entries())
        if (isThere === 1 && !found.has(value)) found.set(value, nameOf(file));
    },
    atOnce,
  );
  if (ignore !== undefined) found.delete(ignore);
  const values = [...found.keys()].toSorted((a, b) => a - b);
  const isBlackAndWhite =
    values.every((value) => value === 0 || value === 255) && values.includes(255) && (names?.length ?? 2) === 2;
  if (isBlackAndWhite) return { names: names ?? ["0", "1"], ignore, isBlackAndWhite };
  if (names !== undefined) {
    const stray = values.find((value) => value >= names.length);
    if (stray === undefined) return { names, ignore, isBlackAndWhite };
    throw new DataError(
      `${name}: the mask ${found.get(stray)} has the value ${stray}, but the ${names.length} classes ${names.join(", ")} run from 0 to ${names.length - 1}; for pixels without a class give ignore: ${stray}`,
    );
  }
  const isNumbered = values.length > 0 && values.every((value, place) => value === place);
  if (!isNumbered)
    throw new DataError(
      `${name}: the masks have the values ${listed(values)}; expected 0, 1, 2 … without gaps, or 0 and 255: name the classes in the order of their numbers, and give the value of pixels without a class as ignore`,
    );
  return { names: values.map(String), ignore, isBlackAndWhite };
}

/** Throws a `DataError` for options that mean nothing. */
function checkMaskOptions({ names, ignore }: MaskOptions): void {
  if (ignore !== undefined && !(Number.isInteger(ignore) && ignore >= 0 && ignore <= 255))
    throw new DataError(`ignore should be the value of a mask's pixels, 0 to 255, not ${String(ignore)}`);
  if (names === undefined) return;
  if (!Array.isArray(names) || names.length < 2 || !names.every((each) => typeof each === "string" && each !== ""))
    throw new DataError(`the names of a mask's classes should be a list of at least two, not ${JSON.stringify(names)}`);
  if (ignore !== undefined && ignore < names.length)
    throw new DataError(`ignore is ${ignore}, which is the class ${names[ignore]}; expected a value that is no class`);
}

/** Masks that are read with their images. */
interface MaskReader {
  readonly target: Target;
  /** The masks of the images at `places`, one after the other, one byte a pixel. */
  read(places: ArrayLike<number>): Promise<Uint8Array>;
}

/** Resized masks of at most so many bytes stay in memory, so that a small data set reads its files once. */
const keptBytes = 256 * 2 ** 20;

/**
 * Reads the masks of images in the images' size, decoded and resized like the images but by the nearest pixel. Throws a
 * `DataError` for a mask of another size than its image, which is looked up in the heads of the files; `read` throws one for a mask
 * that cannot be decoded.
 */
export async function maskReader(
  pairs: readonly { readonly image: ImageSource; readonly mask: ImageSource }[],
  { isBlackAndWhite, names, ignore }: MaskMeaning,
  options: DecodeOptions & { readonly size: readonly [number, number]; readonly kept?: number | undefined },
): Promise<MaskReader> {
  const { size, crop, orient, pixelLimit } = options;
  const pixels = size[0] * size[1];
  const most = (options.kept ?? keptBytes) / pixels;
  const kept = new Map<number, Uint8Array>();
  await pMap(
    pairs,
    async ({ image, mask }) => {
      const own = await imageSize(mask, { orient: false, pixelLimit });
      const [height, width] = await imageSize(image, { orient, pixelLimit });
      if (own[0] !== height || own[1] !== width)
        throw new DataError(
          `The mask ${nameOf(mask)} is ${own[0]}x${own[1]}, but its image ${nameOf(image)} is ${height}x${width}; expected masks of the images' size`,
        );
    },
    atOnce,
  );
  const fitted = async (place: number): Promise<Uint8Array> => {
    const { data, size: own } = await decodeMask(pairs[place]!.mask, pixelLimit);
    const target = new Uint8Array(pixels);
    fitInto(target, size, { data, shape: [own[0], own[1], 1] }, { resize: "nearest", crop });
    if (isBlackAndWhite) for (const [pixel, value] of target.entries()) if (value === 255) target[pixel] = 1;
    if (kept.size < most) kept.set(place, target);
    return target;
  };
  return {
    target: { kind: "mask", names, shape: [...size], ...(ignore !== undefined && { ignore }) },
    async read(places) {
      const values = new Uint8Array(places.length * pixels);
      await pMap(
        Array.from(places).entries(),
        async ([row, place]) => values.set(kept.get(place) ?? (await fitted(place)), row * pixels),
        atOnce,
      );
      return values;
    },
  };
}

function listed(values: readonly number[]): string {
  return values.length > 12 ? `${values.slice(0, 11).join(", ")} … ${values.at(-1)}` : values.join(", ");
}
