import type { OptionOf } from "../terminal/option.ts";

/** What happens to an option of `convkit train` when a run is resumed. */
export type OnResume =
  /** The run keeps its value: repeating it is allowed, another value is refused. */
  | "keep"
  /** The run keeps its value unless a new one is given. */
  | "may change"
  /** Belongs to one process, not to the run. */
  | "not stored";

/** How an option is stored, if not as the typed text or number. */
export type StoredAs =
  | "data"
  | "source"
  | "weights"
  | "optimizer"
  | "teacher"
  | "recipe"
  | "schedule"
  | "patience"
  | "parts"
  | "augment"
  | "folder";

/** An option of `convkit train`. */
export interface TrainOption<T> extends OptionOf<T> {
  readonly resume: OnResume;
  /** Its path in config.json, for example `plan.optimizer.learningRate`; missing if it is not stored. */
  readonly at?: string;
  readonly as?: StoredAs;
  /** True if a recipe's promised accuracy also holds with this option. */
  readonly keepsPromise?: boolean;
}

/** The options of `convkit train`, by name. */
export type TrainOptionTable = Readonly<Record<string, TrainOption<unknown>>>;

type Details = Pick<TrainOption<unknown>, "as" | "keepsPromise">;

/** An option whose value a resumed run keeps; `at` is its path in config.json. */
export function keep<T>(at: string, option: OptionOf<T>, details: Details = {}): TrainOption<T> {
  return { ...option, ...details, at, resume: "keep" };
}

/** An option that may change when a run is resumed. */
export function mayChange<T>(at: string, option: OptionOf<T>, details: Details = {}): TrainOption<T> {
  return { ...option, ...details, at, resume: "may change" };
}

/** An option that is not stored in config.json. */
export function notStored<T>(option: OptionOf<T>): TrainOption<T> {
  return { ...option, resume: "not stored" };
}
