import { OptionError } from "./option-error.ts";
import { shown } from "./options.ts";

/** The allowed values of an option: in words that follow "expected … to be", and as a test. */
export type ValueRule = readonly [expected: string, fits: (value: unknown) => boolean];

const number = (expected: string, fits: (value: number) => boolean): ValueRule => [
  expected,
  (value) => typeof value === "number" && Number.isFinite(value) && fits(value),
];

export const finite = number("a finite number", () => true);
export const fromZero = number("a number from 0", (value) => value >= 0);
export const aboveZero = number("a number above 0", (value) => value > 0);
export const fromOne = number("a number from 1", (value) => value >= 1);
export const zeroToOne = number("a number from 0 to 1", (value) => value >= 0 && value <= 1);
export const belowOne = number("a number from 0 to below 1", (value) => value >= 0 && value < 1);
export const betweenZeroAndOne = number("a number above 0 and below 1", (value) => value > 0 && value < 1);
export const wholeFromZero = number("a whole number from 0", (value) => Number.isSafeInteger(value) && value >= 0);
export const wholeFromOne = number("a whole number from 1", (value) => Number.isSafeInteger(value) && value >= 1);
export const trueOrFalse: ValueRule = ["true or false", (value) => typeof value === "boolean"];
export const someFunction: ValueRule = ["a function", (value) => typeof value === "function"];
export const someText: ValueRule = ["a text", (value) => typeof value === "string"];

/** One of `words`. */
export function oneOf(words: readonly string[]): ValueRule {
  return [`one of ${words.join(", ")}`, (value) => (words as readonly unknown[]).includes(value)];
}

/** Throws unless `value`, which the sentence calls `what`, fits its rule. `where` and `failure` are as in `checkValues`. */
export function checkValue(
  where: string,
  what: string,
  value: unknown,
  [expected, fits]: ValueRule,
  failure: (message: string) => Error = (message) => new OptionError(message),
): void {
  if (!fits(value)) throw failure(`${where}: expected ${what} to be ${expected}, got ${shown(value)}.`);
}

/**
 * Throws where an option has a value that its rule excludes; undefined stands for the default. `where` starts the sentence, for example
 * `saveModel`. The error is an OptionError, or what `failure` makes of the sentence.
 */
export function checkValues<T extends object>(
  where: string,
  options: T,
  rules: { readonly [Key in keyof T]?: ValueRule },
  failure?: (message: string) => Error,
): void {
  for (const [name, rule] of Object.entries(rules) as [string & keyof T, ValueRule][]) {
    const value = options[name];
    if (value !== undefined) checkValue(where, name, value, rule, failure);
  }
}
