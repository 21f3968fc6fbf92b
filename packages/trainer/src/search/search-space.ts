import { hashText, uniformValues } from "@convkit/core/internal";
import { shown } from "@convkit/errors";
import { TrainerError } from "../trainer-error.ts";

/** What a setting may be: one of some values, or a number between two, evenly or evenly by its logarithm. */
export type SearchRange =
  | readonly (number | string | boolean | null)[]
  | {
      readonly from: number;
      readonly to: number;
      /** Draws uniformly in the logarithm, for rates and decays; false by default. */
      readonly log?: boolean | undefined;
      /** Draws whole numbers; false by default. */
      readonly whole?: boolean | undefined;
    };

/** The settings to search over, by their paths in a plan: `optimizer.learningRate`, `batch`, `augment.mixup`. */
export type SearchSpace = Readonly<Record<string, SearchRange>>;

/** Settings that were drawn from a space. */
export type DrawnSettings = Readonly<Record<string, number | string | boolean | null>>;

/** Throws a `TrainerError` for a space without settings, or with a range that is none. */
export function checkSpace(space: SearchSpace): void {
  const entries = Object.entries(space);
  if (entries.length === 0) throw new TrainerError("The search needs at least one setting in its space.");
  for (const [path, range] of entries) {
    if (isList(range) ? range.length > 0 && range.every(isPlain) : isRange(range)) continue;
    throw new TrainerError(
      `The search's ${path} must be a list of values, or { from, to, log, whole } with from below to (above 0 with log), not ${shown(range)}.`,
    );
  }
}

/** The settings of a trial. They depend on the seed, the trial's number and the paths alone. */
export function drawSettings(space: SearchSpace, seed: number, trial: number): DrawnSettings {
  return Object.fromEntries(
    Object.entries(space).map(([path, range]) => {
      const [u = 0] = uniformValues(1, 0, 1, hashText(`search/${path}/${trial}`, seed));
      return [path, valueAt(range, Math.min(u, 1 - 2 ** -24))];
    }),
  );
}

function valueAt(range: SearchRange, u: number): DrawnSettings[string] {
  if (isList(range)) return range[Math.floor(u * range.length)]!;
  const { from, to, log = false, whole = false } = range;
  const last = whole ? to + 1 : to;
  const value = log ? Math.exp(Math.log(from) + u * (Math.log(last) - Math.log(from))) : from + u * (last - from);
  // A rate of six digits is one that can be typed again.
  return whole ? Math.min(Math.floor(value), to) : Number(value.toPrecision(6));
}

function isList(range: SearchRange): range is readonly (number | string | boolean | null)[] {
  return Array.isArray(range);
}

function isPlain(value: unknown): boolean {
  return value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}

function isRange(range: unknown): boolean {
  if (typeof range !== "object" || range === null) return false;
  const { from, to, log = false, whole = false, ...rest } = range as Record<string, unknown>;
  const fits = (value: unknown) => (whole === true ? Number.isSafeInteger(value) : Number.isFinite(value));
  const areFlags = typeof log === "boolean" && typeof whole === "boolean" && Object.keys(rest).length === 0;
  return (
    areFlags && fits(from) && fits(to) && (from as number) < (to as number) && (log !== true || (from as number) > 0)
  );
}
