import type { ImageFit } from "@convkit/core";
import type { DataSplits, IndexedDataset } from "@convkit/datasets";
import type { Context } from "../terminal/context.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { type DataOptions, dataPlace, loadSplits } from "./load-data.ts";
import type { StoredRun } from "./run-directory.ts";
import { resizedSplits, runSplits } from "./run-splits.ts";

/** The name of a split. */
export type SplitName = "train" | "validation" | "test";

/** The images for an evaluation. */
export interface EvaluationData {
  readonly name: string;
  readonly split: SplitName;
  readonly data: IndexedDataset;
  /** How many of these images the model was trained on; undefined if its run is not known. */
  readonly trainedOn: number | undefined;
}

/** The data to evaluate on, and the model's run and images. */
export interface EvaluationOptions extends DataOptions {
  /** The model's name as the user typed it. */
  readonly model: string;
  readonly split?: SplitName | undefined;
  readonly run?: StoredRun | undefined;
  readonly image: readonly [number, number, number];
  readonly fit: ImageFit;
}

/**
 * The split that `--split` names; by default the test images, else the validation images, else the training images. For
 * a run's own data, `validation` gives the images that the run held out. If the run was trained on some of the images,
 * a note says how many.
 */
export async function evaluationData(
  context: Context,
  { split: wanted, run, ...options }: EvaluationOptions,
): Promise<EvaluationData> {
  const ownRun = run !== undefined && dataPlace(options.data) === run.plan.data ? run : undefined;
  const loaded = await loadSplits(context, { columns: ownRun?.plan.columns, masks: run?.plan.masks, ...options });
  const splits = ownRun === undefined ? loaded : resizedSplits(loaded, ownRun.plan, options.image);
  const split = wanted ?? (splits.test ? "test" : splits.validation ? "validation" : "train");
  const isOwnSplit = split === "validation" && splits.validation !== undefined && ownRun?.fold === undefined;
  if (ownRun === undefined || split === "test" || isOwnSplit)
    return { name: splits.name, split, data: chosen(splits, split, run), trainedOn: undefined };
  const own = await runSplits(context, ownRun, options);
  if (split === "validation") {
    const { limit } = options;
    const held = chosen(own, split, run);
    const data = typeof limit === "number" && limit < held.size ? held.select(firstOf(limit)) : held;
    return { name: splits.name, split, data, trainedOn: 0 };
  }
  const trained = new Set(Array.from({ length: own.train.size }, (_, index) => own.train.describe(index)));
  const { train } = splits;
  const trainedOn = Array.from({ length: train.size }, (_, index) => train.describe(index)).filter((each) =>
    trained.has(each),
  ).length;
  if (trainedOn > 0)
    context.out.note(
      `${options.model} was trained on ${trainedOn} of these ${train.size} images${own.validation === undefined ? "" : `; --split validation evaluates the ${own.validation.size} that it held out`}.`,
    );
  return { name: splits.name, split, data: train, trainedOn };
}

function chosen(splits: DataSplits<IndexedDataset>, split: SplitName, run: StoredRun | undefined): IndexedDataset {
  const data = splits[split];
  if (data !== undefined) return data;
  const known = (["train", "validation", "test"] as const).filter((each) => splits[each] !== undefined);
  const held =
    run === undefined || split !== "validation" ? "" : `; the run held images of ${run.plan.data} out, if any`;
  throw new UsageError(`${splits.name} has no ${split} images: it has ${known.join(", ")}${held}.`);
}

function firstOf(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
