import { type DataSplits, type IndexedDataset, splitFolds } from "@convkit/datasets";
import { tellRareClasses } from "@convkit/trainer/internal";
import type { Context } from "../terminal/context.ts";
import type { ImageFit } from "@convkit/core";
import { loadSplits } from "./load-data.ts";
import { resizedData } from "./resized-dataset.ts";
import type { StoredRun } from "./run-directory.ts";

/** How the images of a run are read, and the image size of its network. */
export interface ReadOptions {
  readonly image: readonly [number, number, number];
  /** How image files are decoded to that size. */
  readonly fit?: ImageFit | undefined;
  readonly workers?: number | undefined;
  readonly strict?: boolean | undefined;
  readonly cacheDecoded?: boolean | undefined;
  readonly cacheLimit?: number | undefined;
}

/** The images of a run, with the splits that its configuration asks for. */
export async function runSplits(
  context: Context,
  { plan, dataFrom, outside, seed, fold }: Pick<StoredRun, "plan" | "dataFrom" | "outside" | "seed" | "fold">,
  { image, ...reading }: ReadOptions,
): Promise<DataSplits<IndexedDataset>> {
  const { data, validation, stratify, limit, columns, masks } = plan;
  const splits = await loadSplits(context, {
    data,
    seed,
    image,
    dataFrom,
    outside,
    columns,
    masks,
    limit,
    stratify,
    validation: typeof validation === "number" ? validation : undefined,
    ...reading,
  });
  const sized = resizedSplits(splits, plan, image);
  if (fold !== undefined) {
    const { name, train, test } = sized;
    if (fold.number === 1) {
      if (sized.validation !== undefined)
        context.out.note(`${name}: the ${sized.validation.size} validation images are not used; each fold validates.`);
      if (stratify !== false) tellRareClasses(train, fold.of, (note) => context.out.note(note));
    }
    const [others, own] = splitFolds(train, fold.of, { seed, stratify })[fold.number - 1]!;
    return { name, train: others, validation: own, ...(test && { test }) };
  }
  return validation === "test" && sized.test !== undefined ? { ...sized, validation: sized.test } : sized;
}

/** The splits of a run. A plan with `resize` resizes data sets in memory to the network's size. */
export function resizedSplits(
  splits: DataSplits<IndexedDataset>,
  { resize = false }: StoredRun["plan"],
  [height, width]: ReadOptions["image"],
): DataSplits<IndexedDataset> {
  return resize ? mapSplits(splits, (set) => resizedData(set, [height, width])) : splits;
}

/** Applies a function to each split. */
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
