import { shown, type ValueRule } from "@convkit/errors";
import { TrainerError } from "../trainer-error.ts";
import { isRecord } from "./fields.ts";

/** What a stored object must have: fields, and fields that may be missing. */
export interface StoredShape {
  readonly fields: Readonly<Record<string, ValueRule | StoredShape>>;
  readonly optional?: Readonly<Record<string, ValueRule | StoredShape>>;
}

/**
 * One sentence for each missing or invalid field of an object from a file. Other fields are allowed: a later version may have
 * written them.
 */
export function storedProblems(what: string, value: unknown, { fields, optional = {} }: StoredShape): string[] {
  if (!isRecord(value)) return [`${what} must be an object, not ${shown(value)}.`];
  const problems = (name: string, field: ValueRule | StoredShape): string[] => {
    if ("fields" in field) return storedProblems(`${what}.${name}`, value[name], field);
    const [expected, fits] = field;
    return fits(value[name]) ? [] : [`${what}.${name} must be ${expected}, not ${shown(value[name])}.`];
  };
  return [
    ...Object.entries(fields).flatMap(([name, field]) => problems(name, field)),
    ...Object.entries(optional).flatMap(([name, field]) => (value[name] === undefined ? [] : problems(name, field))),
  ];
}

/** Throws a `TrainerError` that names the file and its first problems, if there are any. */
export function throwStored(file: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  const rest = problems.length > 3 ? ` And ${problems.length - 3} more.` : "";
  throw new TrainerError(`${file} is damaged: ${problems.slice(0, 3).join(" ")}${rest}`);
}

/** A field that holds text. */
export const text: ValueRule = ["text", (value) => typeof value === "string"];

/** A finite number; null stands for NaN and infinities, which JSON does not have. */
export const numberOrNull: ValueRule = ["a number or null", (value) => value === null || typeof value === "number"];

/** A field that holds an object. */
export const record: ValueRule = ["an object", isRecord];

/** A list whose elements fit a field. */
export function listOf([expected, fits]: ValueRule): ValueRule {
  return [`a list, each ${expected}`, (value) => Array.isArray(value) && value.every((each) => fits(each))];
}

/** An object with certain fields. */
export function shaped(shape: StoredShape): ValueRule {
  const names = Object.keys(shape.fields).join(", ");
  return [`an object with ${names}`, (value) => storedProblems("", value, shape).length === 0];
}

/** A field that may also hold null. */
export function orNull([expected, fits]: ValueRule): ValueRule {
  return [`${expected} or null`, (value) => value === null || fits(value)];
}
