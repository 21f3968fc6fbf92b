import { fromZero, nearest, type ValueRule } from "@convkit/errors";
import { TrainerError } from "../trainer-error.ts";

/** A field for each option except `name`: the compiler requires all of them. */
export type Fields<Options> = { readonly [Key in Exclude<keyof Options, "name">]-?: ValueRule };

export const listOfEpochs: ValueRule = [
  "a list of epochs",
  (value) => Array.isArray(value) && value.every((each) => fromZero[1](each)),
];

/** One sentence if `value` does not fit `field`. */
export function valueProblems(what: string, value: unknown, [expected, fits]: ValueRule): string[] {
  return fits(value) ? [] : [`${what} must be ${expected}, not ${valueText(value)}.`];
}

/** One sentence for each unknown or invalid option; `undefined` stands for no options. */
export function fieldProblems(what: string, given: unknown, fields: Readonly<Record<string, ValueRule>>): string[] {
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
  fields: Readonly<Record<string, ValueRule>>,
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
