import { checkOptions, oneOf, type OptionNames, wholeFromOne, wholeFromZero } from "@convkit/errors";
import { throwProblems, valueProblems } from "../checks/fields.ts";
import { TrainerError } from "../trainer-error.ts";
import { checkSpace, type DrawnSettings, drawSettings, type SearchSpace } from "./search-space.ts";

/** A trial of a search: drawn settings, and what the trainings with them reached. */
export interface SearchTrial {
  /** Counted from 1. */
  readonly trial: number;
  readonly settings: DrawnSettings;
  /** Epochs of its longest training. */
  readonly epochs: number;
  /** What that training reached; missing if it failed. */
  readonly value?: number | undefined;
  /** Why it failed; missing if it did not fail. */
  readonly error?: string | undefined;
}

/** Options of `searchSettings`. */
export interface SearchOptions {
  readonly space: SearchSpace;
  /** The number of drawn settings, at most 100,000. */
  readonly trials: number;
  /** Epochs of the longest trainings. */
  readonly epochs: number;
  /**
   * `random` trains all trials for all epochs. `halving` (successive halving, Jamieson and Talwalkar 2015) trains all for a few, and
   * the best `1 / reduction` of them for `reduction` times as many, until the last have all epochs. `random` by default.
   */
  readonly method?: "random" | "halving" | undefined;
  /** 3 by default. */
  readonly reduction?: number | undefined;
  /** Seed of the draws; 0 by default. */
  readonly seed?: number | undefined;
  /** What is better; `lower` by default. */
  readonly better?: "lower" | "higher" | undefined;
  /**
   * Trains with settings up to `epochs` epochs, and returns what counts. In `halving` it is called again with more epochs and may go on where it
   * ended. An error is kept with the trial, and the search goes on.
   */
  readonly run: (trial: {
    readonly trial: number;
    readonly settings: DrawnSettings;
    readonly epochs: number;
  }) => Promise<number>;
  /** Trials of an interrupted search, which are not trained again; none by default. */
  readonly done?: readonly SearchTrial[] | undefined;
  /** How many calls of `run` are under way at once; 1 by default. The table is the same for every number. */
  readonly parallel?: number | undefined;
  /** Called after each training with all trials so far, one call after the other; none by default. */
  readonly onTrial?: ((trials: readonly SearchTrial[]) => Promise<void>) | undefined;
  /** Ends the search after the trainings in progress; none by default. */
  readonly signal?: AbortSignal | undefined;
}

/** More trials than a search can train; their numbers are listed at once. */
const mostTrials = 100_000;

const optionNames: OptionNames<SearchOptions> = {
  space: true,
  trials: true,
  epochs: true,
  method: true,
  reduction: true,
  seed: true,
  better: true,
  run: true,
  done: true,
  parallel: true,
  onTrial: true,
  signal: true,
};

/**
 * Searches over settings, at random or by successive halving: the same seed draws the same settings. Returns the trials, the best first; failed ones
 * come last. Throws a `TrainerError` for invalid options.
 */
export async function searchSettings(options: SearchOptions): Promise<SearchTrial[]> {
  checkOptions("searchSettings", options, optionNames, (message) => new TrainerError(message));
  const { space, trials, epochs, method = "random", reduction = 3, seed = 0, better = "lower" } = options;
  const { parallel = 1 } = options;
  throwProblems([
    ...valueProblems("trials", trials, [
      `a whole number from 1 to ${mostTrials}`,
      (value) => wholeFromOne[1](value) && Number(value) <= mostTrials,
    ]),
    ...valueProblems("epochs", epochs, wholeFromOne),
    ...valueProblems("method", method, oneOf(["random", "halving"])),
    ...valueProblems("reduction", reduction, [
      "a whole number from 2",
      (value) => Number.isInteger(value) && Number(value) >= 2,
    ]),
    ...valueProblems("parallel", parallel, wholeFromOne),
    ...valueProblems("seed", seed, wholeFromZero),
    ...valueProblems("better", better, oneOf(["lower", "higher"])),
  ]);
  checkSpace(space);
  const found = new Map((options.done ?? []).map((trial) => [trial.trial, trial]));
  const isStopped = (): boolean => options.signal?.aborted === true;
  const told = (): SearchTrial[] => ranked([...found.values()], better);
  let telling = Promise.resolve();
  const trainTo = async (rung: number, trial: number): Promise<void> => {
    const made = { trial, settings: drawSettings(space, seed, trial), epochs: rung };
    const outcome = await options.run(made).then(
      (value) => (Number.isFinite(value) ? { value } : { error: "its value is not finite" }),
      (error: unknown) => ({ error: (error as Error).message }),
    );
    // An interrupted training is no failure: it goes on after a resume.
    if (isStopped()) return;
    found.set(trial, { ...made, ...outcome });
    telling = telling.then(() => options.onTrial?.(told()));
    await telling;
  };
  let left = Array.from({ length: trials }, (_, index) => index + 1);
  for (const rung of method === "random" ? [epochs] : rungs(trials, epochs, reduction)) {
    const waiting = left.filter((trial) => {
      const before = found.get(trial);
      return before === undefined || (before.error === undefined && before.epochs < rung);
    });
    await sideBySide(parallel, waiting, (trial) => (isStopped() ? undefined : trainTo(rung, trial)));
    if (isStopped()) return told();
    // A resumed search has trials that went on from here: those come first, also if they failed later.
    const hasGoneOn = ({ epochs: reached }: SearchTrial) => reached > rung;
    const all = ranked(
      left.map((trial) => found.get(trial)!),
      better,
    );
    const best = [...all.filter(hasGoneOn), ...all.filter((each) => !hasGoneOn(each) && each.error === undefined)];
    left = best.slice(0, Math.max(1, Math.floor(left.length / reduction))).map(({ trial }) => trial);
  }
  return told();
}

/** Calls `work` for each item in order, so many at once. After a failure it begins no further one, waits for the others, and throws. */
async function sideBySide<T>(count: number, items: readonly T[], work: (item: T) => unknown): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    try {
      while (next < items.length) await work(items[next++]!);
    } catch (error) {
      next = items.length;
      throw error;
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(count, items.length) }, one));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

/** Epochs of each rung: the last has all, and each before it `1 / reduction` of the next. */
function rungs(trials: number, epochs: number, reduction: number): number[] {
  const count = Math.floor(Math.log(trials) / Math.log(reduction) + 1e-9);
  const each = Array.from({ length: count + 1 }, (_, place) => Math.ceil(epochs / reduction ** (count - place)));
  return [...new Set(each)];
}

/** The trials with more epochs first, then the better ones; failed ones last. */
function ranked(trials: readonly SearchTrial[], better: "lower" | "higher"): SearchTrial[] {
  const sign = better === "lower" ? 1 : -1;
  return trials.toSorted((a, b) => {
    if (a.value === undefined || b.value === undefined)
      return Number(a.value === undefined) - Number(b.value === undefined) || a.trial - b.trial;
    return b.epochs - a.epochs || sign * (a.value - b.value) || a.trial - b.trial;
  });
}
