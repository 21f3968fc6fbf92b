import { shown } from "@convkit/errors";
import { DataError } from "../data-error.ts";
import { byCodePoint, looseName } from "../folders/class-names.ts";

/** Labels of records in one split, and the shard of each for messages. */
export interface RawLabels {
  readonly labels: readonly (string | number)[];
  describe(record: number): string;
}

/**
 * Classes and their numbers for the labels of all splits. Labels that are whole numbers count classes; other labels are
 * names, and classes are ordered by code point. Throws a DataError for a label that is no class, for names that look
 * alike, and if there is only one class.
 */
export function numberClasses(
  name: string,
  splits: readonly RawLabels[],
  known: readonly string[] | undefined,
): { readonly classes: readonly string[]; readonly labels: readonly Int32Array[] } {
  const values = new Set(splits.flatMap(({ labels }) => [...new Set(labels)]));
  const areNumbers = [...values].every((label) => /^-?\d+$/.test(String(label)));
  const classes = known ?? (areNumbers ? numbered(values) : named(name, values));
  if (new Set(classes.map(looseName)).size < classes.length)
    throw new DataError(
      `${name}: expected names of classes that differ clearly, got ${classes.slice(0, 20).join(", ")}`,
    );
  if (classes.length < 2)
    throw new DataError(`${name} has one class only (${classes[0]}); to tell apart there must be at least two`);
  const places = new Map(classes.map((each, place) => [each.normalize("NFC"), place]));
  const labels = splits.map((split) =>
    Int32Array.from(split.labels, (label, record) => {
      const place = areNumbers ? Number(label) : (places.get(String(label).normalize("NFC")) ?? -1);
      if (Number.isInteger(place) && place >= 0 && place < classes.length) return place;
      const expected = areNumbers
        ? `a class from 0 to ${classes.length - 1}`
        : `one of ${classes.slice(0, 20).join(", ")}`;
      throw new DataError(`${split.describe(record)}: expected ${expected}, found the label ${shown(label)}`);
    }),
  );
  return { classes, labels };
}

/** More classes than a network can have: a label of another kind was taken for a class. */
const mostClasses = 1_000_000;

function numbered(values: ReadonlySet<string | number>): string[] {
  let most = 0;
  for (const value of values) most = Math.max(most, Number(value));
  return Array.from({ length: Math.min(most + 1, mostClasses) }, (_, place) => String(place));
}

function named(name: string, values: ReadonlySet<string | number>): string[] {
  const seen = new Map<string, string>();
  for (const value of values) {
    const text = String(value).normalize("NFC");
    const first = seen.get(looseName(text)) ?? text;
    if (first !== text)
      throw new DataError(
        `${name}: expected labels that differ clearly, got ${shown(first)} and ${shown(text)}; write them alike if they are one class`,
      );
    seen.set(looseName(text), text);
  }
  return [...seen.values()].toSorted(byCodePoint);
}
