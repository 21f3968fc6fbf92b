import type { OptionOf } from "../terminal/option.ts";

/** What happens to an option of `convkit train` when a run is resumed. */
export type OnResume =
  /** The run keeps its value; the same value may be given again, another one is refused. */
  | "keep"
  /** The run keeps its value unless another one is given. */
  | "may change"
  /** Belongs to one process, not to the run. */
  | "not stored";

/** How an option is stored where that is not the text or number that was typed. */
export type StoredAs = "data" | "source" | "weights" | "optimizer" | "schedule" | "patience" | "parts" | "folder";

/** An option of `convkit train`. */
export interface TrainOption<T> extends OptionOf<T> {
  readonly resume: OnResume;
  /** Its place in config.json, for example `plan.optimizer.learningRate`; missing if it is not stored. */
  readonly at?: string;
  readonly as?: StoredAs;
  /** A recipe's promised accuracy holds with this option, too. */
  readonly keepsPromise?: boolean;
}

/** The options of `convkit train`, by name. */
export type TrainOptionTable = Readonly<Record<string, TrainOption<unknown>>>;

type Details = Pick<TrainOption<unknown>, "as" | "keepsPromise">;

/** An option whose value a resumed run keeps; `at` is its place in config.json. */
export function keep<T>(at: string, option: OptionOf<T>, details: Details = {}): TrainOption<T> {
  return { ...option, ...details, at, resume: "keep" };
}

/** An option that may be another when a run is resumed. */
export function mayChange<T>(at: string, option: OptionOf<T>, details: Details = {}): TrainOption<T> {
  return { ...option, ...details, at, resume: "may change" };
}

/** An option that is not stored in config.json. */
export function notStored<T>(option: OptionOf<T>): TrainOption<T> {
  return { ...option, resume: "not stored" };
}
