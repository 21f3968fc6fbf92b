import { shown } from "@convkit/errors";
import { type Dataset, type DataSplits, type IndexedDataset, splitOff } from "@convkit/datasets";
import { parseSchedule, type Schedule } from "../optimization/schedules.ts";
import { TrainerError } from "../trainer-error.ts";
import type { TrainOptions } from "./train-options.ts";

/** The options of `train` in their full forms: splits instead of one data set, a schedule instead of its name. */
export interface FullOptions extends Omit<TrainOptions, "data" | "schedule" | "stratify" | "validation"> {
  readonly data: DataSplits;
  readonly schedule?: Schedule | undefined;
}

/** Brings options that may be short (a data set, a schedule by name) into their full forms. */
export function fullOptions(options: TrainOptions): FullOptions {
  if (typeof options !== "object" || options === null) {
    throw new TrainerError(`train: expected options with model, data and epochs, got ${shown(options)}.`);
  }
  if (Array.isArray((options as { readonly outputs?: unknown }).outputs)) {
    throw new TrainerError("train: expected one object of options, train({ model, data, epochs: 10 }), got a model.");
  }
  const { schedule, validation, stratify, ...rest } = options;
  const data = withValidation(fullData(options.data), validation, { seed: options.seed, stratify });
  return { ...rest, data, schedule: typeof schedule === "string" ? parseSchedule(schedule) : schedule };
}

function fullData(data: TrainOptions["data"]): DataSplits {
  const given: unknown = data;
  if (typeof given === "object" && given !== null) {
    if ("train" in given) return checkedSplits(data as DataSplits);
    if ("batches" in given) return { name: (data as DataSplits["train"]).name, train: data as DataSplits["train"] };
  }
  throw new TrainerError(
    `train: expected data to be a data set or { name, train, validation } as loadData gives, got ${shown(given)}; fromArrays makes a data set of images in memory.`,
  );
}

/** The data with the validation images that the option asks for. */
function withValidation(
  data: DataSplits,
  validation: unknown,
  { seed, stratify }: Pick<TrainOptions, "seed" | "stratify">,
): DataSplits {
  if (stratify !== undefined && typeof validation !== "number") {
    throw new TrainerError(
      "train: stratify is for images that validation holds out, as validation: 0.1; leave it out, or give such a number.",
    );
  }
  if (validation === undefined) return data;
  if (data.validation !== undefined) {
    throw new TrainerError(
      `train: ${data.name} has its own ${data.validation.size} validation images; leave validation out, or give data.train as data.`,
    );
  }
  if (typeof validation === "object" && validation !== null && "batches" in validation) {
    return { ...data, validation: validation as Dataset };
  }
  if (typeof validation !== "number") {
    throw new TrainerError(
      `train: expected validation to be a data set, or how many of the training images to hold out (0.1: a tenth), got ${shown(validation)}.`,
    );
  }
  if (!("select" in data.train)) {
    throw new TrainerError(
      `train: expected validation to be a data set, since ${data.name} is read in order and nothing can be held out of it.`,
    );
  }
  const [train, held] = splitOff(data.train as IndexedDataset, validation, { seed, stratify });
  return { ...data, train, validation: held };
}

/** The splits; refuses one that is no data set. */
function checkedSplits(data: DataSplits): DataSplits {
  for (const split of ["train", "validation", "test"] as const) {
    const set: unknown = data[split];
    if (set === undefined && split !== "train") continue;
    if (typeof (set as { batches?: unknown } | null | undefined)?.batches !== "function")
      throw new TrainerError(
        `train: expected data.${split} to be a data set such as fromArrays gives, got ${shown(set)}.`,
      );
  }
  return data;
}
