import type { DataSplits, IndexedDataset } from "@convkit/datasets";
import type { Context } from "../terminal/context.ts";
import type { ImageFit } from "@convkit/core";
import { loadSplits } from "./load-data.ts";
import { resizedData } from "./resized-dataset.ts";
import type { StoredRun } from "./run-directory.ts";

/** How the images of a run are read, and the size that its network takes. */
export interface ReadOptions {
  readonly image: readonly [number, number, number];
  /** How image files become pixels of that size. */
  readonly fit?: ImageFit | undefined;
  readonly workers?: number | undefined;
  readonly strict?: boolean | undefined;
}

/** The images of a run, with the splits that its configuration asks for. */
export async function runSplits(
  context: Context,
  { plan, dataFrom, outside, seed }: Pick<StoredRun, "plan" | "dataFrom" | "outside" | "seed">,
  { workers, strict, image, fit }: ReadOptions,
): Promise<DataSplits<IndexedDataset>> {
  const { data, validation, limit } = plan;
  const splits = await loadSplits(context, {
    data,
    seed,
    image,
    fit,
    dataFrom,
    outside,
    limit,
    validation: typeof validation === "number" ? validation : undefined,
    workers,
    strict,
  });
  const sized = resizedSplits(splits, plan, image);
  return validation === "test" && sized.test !== undefined ? { ...sized, validation: sized.test } : sized;
}

/** The splits of a run; a plan with `resize` brings sets in memory to the network's size. */
export function resizedSplits(
  splits: DataSplits<IndexedDataset>,
  { resize = false }: StoredRun["plan"],
  [height, width]: ReadOptions["image"],
): DataSplits<IndexedDataset> {
  return resize ? mapSplits(splits, (set) => resizedData(set, [height, width])) : splits;
}

/** The same splits, each of them changed. */
export function mapSplits(
  splits: DataSplits<IndexedDataset>,
  change: (set: IndexedDataset) => IndexedDataset,
): DataSplits<IndexedDataset> {
  const { name, train, validation, test } = splits;
  return {
    name,
    train: change(train),
    ...(validation && { validation: change(validation) }),
    ...(test && { test: change(test) }),
  };
}
