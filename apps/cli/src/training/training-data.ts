import type { DataSplits, IndexedDataset } from "@convkit/datasets";
import type { Context } from "../terminal/context.ts";
import { loadSplits } from "../inputs/load-data.ts";
import { resizedData } from "./resized-dataset.ts";
import type { RunConfig } from "./run-config.ts";

/** How the images of a run are read, and the size that its network takes. */
export interface ReadOptions {
  readonly image: readonly [number, number, number];
  readonly workers?: number | undefined;
  readonly strict?: boolean | undefined;
}

/** The images of a run, with the splits that its configuration asks for. */
export async function trainingData(
  context: Context,
  { plan, dataFrom, seed }: Pick<RunConfig, "plan" | "dataFrom" | "seed">,
  { workers, strict, image }: ReadOptions,
): Promise<DataSplits<IndexedDataset>> {
  const { data, validation, limit } = plan;
  const [height, width] = image;
  const splits = await loadSplits(context, {
    data,
    seed,
    image,
    dataFrom,
    limit,
    validation: typeof validation === "number" ? validation : undefined,
    workers,
    strict,
  });
  const sized = plan.resize === true ? mapSplits(splits, (set) => resizedData(set, [height, width])) : splits;
  return validation === "test" && sized.test !== undefined ? { ...sized, validation: sized.test } : sized;
}

function mapSplits(
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
