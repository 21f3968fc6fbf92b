import type { DataSplits, IndexedDataset } from "@convkit/datasets";
import type { Context } from "../terminal/context.ts";
import { loadSplits } from "../inputs/load-data.ts";
import type { TrainOptions } from "./plan.ts";
import { resizedData } from "./resized-dataset.ts";
import type { RunConfig } from "./run-config.ts";

/** The images of a run in the network's size `image`. */
export async function trainingData(
  context: Context,
  { plan, dataFrom, seed }: RunConfig,
  { workers, strict }: TrainOptions,
  image: readonly [number, number, number],
): Promise<DataSplits<IndexedDataset>> {
  const { data, validation, limit } = plan;
  const [height, width] = image;
  const splits = await loadSplits(context, {
    data,
    seed,
    image,
    ...(dataFrom !== undefined && { dataFrom }),
    ...(limit !== undefined && { limit }),
    ...(typeof validation === "number" && { validation }),
    ...(workers !== undefined && { workers }),
    ...(strict !== undefined && { strict }),
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
