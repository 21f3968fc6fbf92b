import type { CsvColumns, MaskOptions } from "@convkit/datasets";
import { flag, text, whole } from "../terminal/option.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { columnList, nameList } from "./column-list.ts";

/** Where data lie, besides their name. */
export const placeOptions = {
  dataFrom: text("<folder-or-url>", "where a named data set lies"),
  outside: flag("allows paths of a CSV file that leave its folder"),
};

/** How image files are read. */
export const readingOptions = {
  workers: whole(1, "<n>", "threads that decode images (default: one a core)"),
  cacheDecoded: flag("keeps decoded images on disk, for later epochs and runs"),
  cacheLimit: whole(1, "<bytes>", "the most bytes of decoded images (default: 32 GiB)"),
  strict: flag("stops at the first image that cannot be read"),
};

/** The fields of shards. */
export const shardOptions = {
  imageField: text("<field>", "of shards: the image, such as jpg, image or image/encoded"),
  labelField: text("<field>", "of shards: the class, such as cls, json.class, label or image/class/label"),
  classNames: nameList("of shards: the classes in the order of their numbers, such as cat,dog"),
};

/** What a network is to tell of each image: the columns of a CSV file, the fields of shards, and the values of masks. */
export const targetOptions = {
  labels: columnList(
    "the column or field of shards with the names of several labels, or columns of 0 and 1, one a label",
  ),
  numbers: columnList("the columns of a CSV file, or the fields of shards, of numbers to predict"),
  ...shardOptions,
  mask: text("<column>", "of a CSV file: the column of the mask files"),
  maskClasses: nameList("of the classes of masks, in the order of their numbers"),
  maskIgnore: whole(0, "<value>", "the value of a mask's pixels that are not judged, such as 255"),
};

/** The values of the options of targets. */
export interface GivenTargets {
  readonly labels?: readonly string[] | undefined;
  readonly numbers?: readonly string[] | undefined;
  readonly imageField?: string | undefined;
  readonly labelField?: string | undefined;
  readonly classNames?: readonly string[] | undefined;
  readonly mask?: string | undefined;
  readonly maskClasses?: readonly string[] | undefined;
  readonly maskIgnore?: number | undefined;
}

/** The columns and the masks that options name, without what they do not name. */
export function targetsGiven({
  labels,
  numbers,
  imageField,
  labelField,
  classNames,
  mask,
  maskClasses,
  maskIgnore,
}: GivenTargets): {
  readonly columns?: CsvColumns;
  readonly masks?: MaskOptions;
} {
  const columns = named({ labels, numbers, image: imageField, label: labelField, classes: classNames, mask });
  const masks = named({ names: maskClasses, ignore: maskIgnore });
  return { ...(columns && { columns }), ...(masks && { masks }) };
}

/** Throws a `UsageError` for a limit without a cache. */
export function checkCacheOptions({
  cacheDecoded,
  cacheLimit,
}: {
  readonly cacheDecoded?: boolean | undefined;
  readonly cacheLimit?: number | undefined;
}): void {
  if (cacheLimit !== undefined && cacheDecoded !== true)
    throw new UsageError("--cache-limit bounds what --cache-decoded keeps: give both.");
}

/** The entries with a value; undefined if there are none. */
function named<T extends object>(given: T): T | undefined {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as T);
}
