import type { Batch, IndexedDataset } from "@convkit/datasets";
import type { Output } from "../terminal/output.ts";
import { CliError } from "../terminal/usage-error.ts";

/**
 * The images with the labels that a model gives their classes: classes match by name, in any order, and the data may lack some of
 * the model's. Throws a `CliError` with both lists if the model does not know a class. A model without names is taken to have the
 * data's classes in the data's order, which a note says.
 */
export function matchClasses(
  out: Output,
  data: IndexedDataset,
  { name, classes = [] }: { readonly name: string; readonly classes?: readonly string[] | undefined },
): IndexedDataset {
  if (classes.length === 0) {
    out.note(`${name} has no names of classes: its outputs are taken in the order ${listed(data.classes)}.`);
    return data;
  }
  const labels = data.classes.map((each) => classes.findIndex((known) => isSameName(each, known)));
  const unknown = data.classes.filter((_, label) => labels[label] === -1);
  if (unknown.length > 0)
    throw new CliError(
      `${data.name} has the classes ${listed(data.classes)}, but ${name} knows ${listed(classes)}: ${listed(unknown)} ${unknown.length === 1 ? "is" : "are"} unknown to it.`,
    );
  return sameClasses(data.classes, classes) ? data : relabeled(data, classes, labels);
}

/** True for the same names in the same order. */
export function sameClasses(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((name, index) => isSameName(name, others[index]!));
}

/** True for the same names in any order. */
export function hasSameNames(some: readonly string[], others: readonly string[]): boolean {
  return sameClasses(some.toSorted(), others.toSorted());
}

/** Up to 12 names, then how many more there are. */
export function listed(names: readonly string[]): string {
  const rest = names.length - 12;
  return rest > 0 ? `${names.slice(0, 12).join(", ")} and ${rest} more` : names.join(", ");
}

/** Names are equal if they read the same: file systems store accents composed or apart. */
function isSameName(one: string, other: string): boolean {
  return one.normalize() === other.normalize();
}

/** The same images under other labels: `labels[old]` is the new one. */
function relabeled(data: IndexedDataset, classes: readonly string[], labels: readonly number[]): IndexedDataset {
  const changed = (old: Int32Array) => old.map((label) => labels[label]!);
  const { batches, select, describe } = data;
  return {
    name: data.name,
    classes,
    shape: data.shape,
    dtype: data.dtype,
    size: data.size,
    labels: changed(data.labels),
    get skipped() {
      return data.skipped;
    },
    describe: describe.bind(data),
    select: (indices, name) => relabeled(select.call(data, indices, name), classes, labels),
    async *batches(options) {
      for await (const batch of batches.call(data, options)) {
        // Changed in place: `release` belongs to this batch.
        const made: Batch = batch;
        made.labels = changed(batch.labels);
        yield made;
      }
    },
  };
}
