import { existsSync } from "node:fs";
import { basename } from "node:path";
import type { ImageFit } from "@convkit/core";
import {
  type CsvColumns,
  dataSets,
  type DataSplits,
  type IndexedDataset,
  type MaskOptions,
  isShardPattern,
  loadData,
  packagesSeenFrom,
} from "@convkit/datasets";
import type { Plan } from "@convkit/trainer";
import sharp from "sharp";
import type { Context } from "../terminal/context.ts";
import { guess } from "../terminal/guess.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { userPath } from "./user-path.ts";

/** The source of the data and the number of images to use. */
export interface DataOptions {
  readonly data: string;
  readonly dataFrom?: string | undefined;
  /** Allows a CSV file to list paths outside of its folder. */
  readonly outside?: boolean | undefined;
  /** The columns of a CSV file with labels or numbers, or the fields of shards. */
  readonly columns?: CsvColumns | undefined;
  /** What the values of masks mean. */
  readonly masks?: MaskOptions | undefined;
  readonly validation?: number | undefined;
  /** Whether each class has the same share in the images that `validation` and `limit` draw. */
  readonly stratify?: boolean | undefined;
  readonly limit?: Plan["limit"] | undefined;
  readonly seed?: number | undefined;
  /** Height, width and channels that image files are decoded to. */
  readonly image?: readonly [number, number, number] | undefined;
  /** How image files are decoded to that size. */
  readonly fit?: ImageFit | undefined;
  /** Threads that decode images. */
  readonly workers?: number | undefined;
  readonly strict?: boolean | undefined;
  /** Keeps decoded images on disk. */
  readonly cacheDecoded?: boolean | undefined;
  /** The most bytes of these images. */
  readonly cacheLimit?: number | undefined;
}

/** The form of `--data` in config.json: the name of a data set, or the absolute path of a folder. */
export function dataPlace(data: string): string {
  return Object.hasOwn(dataSets, data) ? data : userPath(data);
}

/** Throws a `UsageError` for an unknown name of a data set. */
export function checkDataName(name: string): void {
  if (!Object.hasOwn(dataSets, name))
    throw new UsageError(
      `Unknown data set "${name}": known are ${Object.keys(dataSets).join(", ")}.${guess(name, Object.keys(dataSets))}`,
    );
}

/** Loads the data set of that name, or the one in that folder. */
export async function loadSplits(context: Context, options: DataOptions): Promise<DataSplits<IndexedDataset>> {
  const {
    data,
    dataFrom,
    outside,
    columns,
    masks,
    validation,
    stratify,
    limit,
    seed = 0,
    image,
    fit = {},
    strict,
    workers,
    cacheDecoded,
    cacheLimit,
  } = options;
  const path = dataPlace(data);
  if (!Object.hasOwn(dataSets, data) && !existsSync(path) && !isShardPattern(path))
    throw new UsageError(
      `Unknown data "${data}": it is no folder here, and the known data sets are ${Object.keys(dataSets).join(", ")}.${guess(basename(data), Object.keys(dataSets))}`,
    );
  if (workers !== undefined) sharp.concurrency(workers);
  const from = dataFrom === undefined || /^https?:/.test(dataFrom) ? dataFrom : userPath(dataFrom);
  return loadData(path, {
    signal: context.signal,
    resolve: packagesSeenFrom(import.meta.url),
    seed,
    from,
    outside,
    columns,
    masks,
    validation,
    limit,
    stratify,
    strict,
    workers,
    ...(cacheDecoded === true && { keep: "disk" as const, cacheLimit }),
    // With --strict an unreadable image must be found before the first step.
    ...(strict === true && { check: "all" as const }),
    resize: fit.resize,
    crop: fit.crop,
    orient: fit.orient,
    ...(image !== undefined && { size: [image[0], image[1]] as const, channels: image[2] === 1 ? 1 : 3 }),
  });
}
