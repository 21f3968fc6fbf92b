import { aboveZero, shown, trueOrFalse, type ValueRule, wholeFromZero } from "@convkit/errors";
import { DataError } from "../data-error.ts";
import type { DataSplits, IndexedDataset } from "./dataset.ts";
import { checkDataValues, checkNames } from "../images/decode-options.ts";
import { permutation } from "../random/permutation.ts";
import { drawStratified } from "./stratify.ts";

export interface SplitOptions {
  /** Seed of the random split; 0 by default. Equal seeds draw the same images. */
  readonly seed?: number | undefined;
  /** Whether each class has the same share in all parts; each part is drawn from all images alike by default. */
  readonly stratify?: boolean | undefined;
}

/** The values of options that say how data are split. */
export const splitRules: { readonly [Key in "seed" | "stratify" | "validation" | "test"]: ValueRule } = {
  seed: wholeFromZero,
  stratify: trueOrFalse,
  validation: aboveZero,
  test: aboveZero,
};

/**
 * Splits `data` in two at random: `part` of the images (a count from 1, or a share below 1) go to the second data set.
 * Throws a DataError if one of the two would be empty.
 */
export function splitOff(
  data: IndexedDataset,
  part: number,
  options: SplitOptions = {},
): [rest: IndexedDataset, part: IndexedDataset] {
  checkNames("splitOff", options, { seed: true, stratify: true });
  checkDataValues("splitOff", options, splitRules);
  if (typeof data?.select !== "function") {
    throw new DataError(
      `splitOff: expected a data set with images in known places, such as the train of loadData, got ${shown(data)}`,
    );
  }
  if (typeof part !== "number") {
    throw new DataError(`splitOff: expected a share such as 0.1 or a count of images, got ${shown(part)}`);
  }
  const { seed = 0, stratify = false } = options;
  const count = part < 1 ? Math.round(part * data.size) : part;
  if (!Number.isInteger(count) || count < 1 || count >= data.size) {
    throw new DataError(
      `A split of ${part} of ${data.name}'s ${data.size} images would leave ${count < 1 ? "nothing in it" : "nothing beside it"}; ` +
        `expected a share between 0 and 1 or a count from 1 to ${data.size - 1}`,
    );
  }
  const drawn = stratify ? drawStratified(data, count, seed) : permutation(data.size, seed).subarray(0, count);
  const isDrawn = new Set(drawn);
  const rest = Int32Array.from({ length: data.size }, (_, image) => image).filter((image) => !isDrawn.has(image));
  return [data.select(rest), data.select(drawn.toSorted())];
}

export interface SplitsOptions extends SplitOptions {
  /**
   * How many training images become validation images, if the data set has no validation split: a count, or a share
   * below 1. None by default.
   */
  readonly validation?: number | undefined;
  /** The most images of each split, or of the named splits, drawn with the seed; all by default. */
  readonly limit?:
    | number
    | {
        /** The most images for training; all by default. */
        readonly train?: number | undefined;
        /** The most images for validation; all by default. */
        readonly validation?: number | undefined;
        /** The most images for the test; all by default. */
        readonly test?: number | undefined;
      }
    | undefined;
}

/** Applies `validation` and `limit` to the splits. */
export function arrangeSplits(
  splits: DataSplits<IndexedDataset>,
  { validation, limit, stratify, seed = 0 }: SplitsOptions,
): DataSplits<IndexedDataset> {
  const arranged: {
    train: IndexedDataset;
    validation?: IndexedDataset | undefined;
    test?: IndexedDataset | undefined;
  } = {
    ...splits,
  };
  if (validation !== undefined) {
    if (splits.validation !== undefined) {
      throw new DataError(`${splits.name} has its own ${splits.validation.size} validation images; none are split off`);
    }
    [arranged.train, arranged.validation] = splitOff(splits.train, validation, { seed, stratify });
  }
  if (typeof limit !== "number") checkNames("limit", limit, { train: true, validation: true, test: true });
  for (const split of ["train", "validation", "test"] as const) {
    const most = typeof limit === "number" ? limit : limit?.[split];
    const data = arranged[split];
    if (most === undefined || data === undefined || data.size <= most) continue;
    if (!Number.isInteger(most) || most < 1) throw new DataError(`limit should be a whole number from 1, not ${most}`);
    const drawn = stratify === true ? drawStratified(data, most, seed) : permutation(data.size, seed).subarray(0, most);
    arranged[split] = data.select(drawn.toSorted());
  }
  return { ...arranged, name: splits.name };
}
