import { nearest } from "@convkit/errors";
import { TrainerError } from "../trainer-error.ts";

/** The allowed values of a field: in words, and as a test. */
export type Field = readonly [expected: string, fits: (value: unknown) => boolean];

/** A field for each option except `name`: the compiler requires all of them. */
export type Fields<Options> = { readonly [Key in Exclude<keyof Options, "name">]-?: Field };

const number = (expected: string, fits: (value: number) => boolean): Field => [
  expected,
  (value) => typeof value === "number" && Number.isFinite(value) && fits(value),
];

export const fromZero = number("a number from 0", (value) => value >= 0);
export const aboveZero = number("a number above 0", (value) => value > 0);
export const fromOne = number("a number from 1", (value) => value >= 1);
export const zeroToOne = number("a number from 0 to 1", (value) => value >= 0 && value <= 1);
export const belowOne = number("a number from 0 to below 1", (value) => value >= 0 && value < 1);
export const betweenZeroAndOne = number("a number above 0 and below 1", (value) => value > 0 && value < 1);
export const wholeFromZero = number("a whole number from 0", (value) => Number.isSafeInteger(value) && value >= 0);
export const wholeFromOne = number("a whole number from 1", (value) => Number.isSafeInteger(value) && value >= 1);
export const trueOrFalse: Field = ["true or false", (value) => typeof value === "boolean"];
export const listOfEpochs: Field = [
  "a list of epochs",
  (value) => Array.isArray(value) && value.every((each) => fromZero[1](each)),
];

/** A field that holds one of `names`. */
export function oneOf(names: readonly string[]): Field {
  return [`one of ${names.join(", ")}`, (value) => (names as readonly unknown[]).includes(value)];
}

/** One sentence if `value` does not fit `field`. */
export function valueProblems(what: string, value: unknown, [expected, fits]: Field): string[] {
  return fits(value) ? [] : [`${what} must be ${expected}, not ${valueText(value)}.`];
}

/** One sentence for each unknown or invalid option; `undefined` stands for no options. */
export function fieldProblems(what: string, given: unknown, fields: Readonly<Record<string, Field>>): string[] {
  if (given === undefined) return [];
  if (!isRecord(given)) return [noRecordProblem(what, given)];
  return Object.entries(given).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    return field === undefined
      ? [unknownKeyProblem(what, key, Object.keys(fields))]
      : valueProblems(`${what}.${key}`, value, field);
  });
}

/** Like `fieldProblems`, for options whose `name` is one of `names`. */
export function namedProblems(
  what: string,
  given: unknown,
  names: readonly string[],
  fields: Readonly<Record<string, Field>>,
): string[] {
  if (given === undefined) return [];
  if (!isRecord(given)) return [noRecordProblem(what, given)];
  if (!(names as readonly unknown[]).includes(given["name"]))
    return [
      `Unknown ${what} ${valueText(given["name"])}: known are ${names.join(", ")}.${guessText(given["name"], names)}`,
    ];
  return fieldProblems(what, given, { ...fields, name: ["a name", () => true] });
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function noRecordProblem(what: string, value: unknown): string {
  return `${what} must be an object of options, not ${valueText(value)}.`;
}

/** Throws a `TrainerError` with all sentences, if there are any. */
export function throwProblems(problems: readonly string[]): void {
  if (problems.length > 0) throw new TrainerError(problems.join(" "));
}

function unknownKeyProblem(what: string, key: string, known: readonly string[]): string {
  return `${what} has no ${key}: it may have ${known.join(", ")}.${guessText(key === "lr" ? "learningRate" : key, known)}`;
}

function guessText(given: unknown, known: readonly string[]): string {
  const near = typeof given === "string" ? nearest(given, known) : undefined;
  return near === undefined ? "" : ` Did you mean ${near}?`;
}

/** A value as JSON; NaN and infinities by name. */
function valueText(value: unknown): string {
  return typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
}
