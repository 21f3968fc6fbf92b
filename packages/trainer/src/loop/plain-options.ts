import { shown } from "@convkit/errors";
import type { DataSplits } from "@convkit/datasets";
import { parseSchedule, type Schedule } from "../optimization/schedules.ts";
import { TrainerError } from "../trainer-error.ts";
import type { TrainOptions } from "./train-options.ts";

/** The options of `train` in their full forms: splits instead of one data set, a schedule instead of its name. */
export interface FullOptions extends Omit<TrainOptions, "data" | "schedule"> {
  readonly data: DataSplits;
  readonly schedule?: Schedule | undefined;
}

/** Brings options that may be short (a data set, a schedule by name) into their full forms. */
export function fullOptions(options: TrainOptions): FullOptions {
  if (typeof options !== "object" || options === null) {
    throw new TrainerError(`train: expected options with model, data and epochs, got ${shown(options)}.`);
  }
  const data = fullData(options.data);
  const { schedule } = options;
  return { ...options, data, schedule: typeof schedule === "string" ? parseSchedule(schedule) : schedule };
}

function fullData(data: TrainOptions["data"]): DataSplits {
  const given: unknown = data;
  if (typeof given === "object" && given !== null) {
    if ("train" in given) return data as DataSplits;
    if ("batches" in given) return { name: (data as DataSplits["train"]).name, train: data as DataSplits["train"] };
  }
  throw new TrainerError(
    `train: expected data to be a data set or { name, train, validation } as loadData gives, got ${shown(given)}.`,
  );
}
