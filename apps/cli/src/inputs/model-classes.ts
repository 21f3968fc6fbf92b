import { type IndexedDataset, matchClasses } from "@convkit/datasets";
import type { Output } from "../terminal/output.ts";

/**
 * Relabels images with a model's class indices, matched by name. Throws a `DataError` with both lists if the model does
 * not know a class. A model without class names is assumed to have the data's classes in the same order; a note says
 * so.
 */
export function matchModelClasses(
  out: Output,
  data: IndexedDataset,
  { name, classes = [] }: { readonly name: string; readonly classes?: readonly string[] | undefined },
): IndexedDataset {
  if (classes.length > 0) return matchClasses(data, classes);
  out.note(`${name} has no names of classes: its outputs are taken in the order ${listed(data.classes)}.`);
  return data;
}

/** True for the same names in any order. */
export function hasSameNames(some: readonly string[], others: readonly string[]): boolean {
  // Names are compared in Unicode's composed form: file systems store accents composed or decomposed.
  const composed = (names: readonly string[]) => names.map((name) => name.normalize("NFC")).toSorted();
  return composed(some).join("\0") === composed(others).join("\0");
}

/** Lists up to 12 names, then the number of further names. */
export function listed(names: readonly string[]): string {
  const rest = names.length - 12;
  return rest > 0 ? `${names.slice(0, 12).join(", ")} and ${rest} more` : names.join(", ");
}
