import { DataError } from "../data-error.ts";
import type { Batch, BatchOptions, Dataset, IndexedDataset } from "./dataset.ts";

/**
 * Relabels images with the class indices of a model: `classes` becomes `names`, and each label becomes the index of its
 * class in `names`. The classes of `data` may be fewer and in another order. Names are compared in Unicode's composed
 * form (NFC). Throws a DataError with both lists if `data` has a class that `names` lacks, or if `names` has a
 * duplicate.
 */
export function matchClasses(data: IndexedDataset, names: readonly string[]): IndexedDataset;
export function matchClasses(data: Dataset, names: readonly string[]): Dataset;
export function matchClasses(data: Dataset | IndexedDataset, names: readonly string[]): Dataset {
  if (data.targets !== undefined) {
    throw new DataError(
      `matchClasses: ${data.name} has targets (${Object.keys(data.targets).join(", ")}); only data of one class an image is matched.`,
    );
  }
  const places = new Map(names.map((name, place) => [name.normalize("NFC"), place]));
  if (places.size < names.length) {
    throw new DataError(`matchClasses: expected different names of classes, got ${listed(names)}.`);
  }
  const unknown = data.classes.filter((name) => !places.has(name.normalize("NFC")));
  if (unknown.length > 0) {
    throw new DataError(
      `${data.name}: expected classes among ${listed(names)}, got ${listed(data.classes)}; ` +
        `rename or leave out ${listed(unknown)}.`,
    );
  }
  const labelOf = Int32Array.from(data.classes, (name) => places.get(name.normalize("NFC"))!);
  const isSame = names.length === labelOf.length && labelOf.every((label, place) => label === place);
  if (isSame) return data;
  return "select" in data ? indexedWith(data, names, labelOf) : withLabels(data, names, labelOf);
}

function withLabels(data: Dataset, classes: readonly string[], labelOf: Int32Array): Dataset {
  const { name, shape, dtype, size, decoding, readsParts, inputs } = data;
  const batches = (options: BatchOptions): AsyncIterable<Batch> => relabeled(data.batches(options), labelOf);
  return {
    name,
    classes,
    shape,
    dtype,
    size,
    decoding,
    ...(inputs && { inputs }),
    ...(readsParts === true && { readsParts }),
    batches,
  };
}

function indexedWith(data: IndexedDataset, classes: readonly string[], labelOf: Int32Array): IndexedDataset {
  return {
    ...withLabels(data, classes, labelOf),
    labels: data.labels.map((label) => labelOf[label]!),
    skipped: data.skipped,
    notes: data.notes,
    ...(data.decodedCache && { decodedCache: data.decodedCache }),
    select: (indices, name) => indexedWith(data.select(indices, name), classes, labelOf),
    describe: (index) => data.describe(index),
  };
}

async function* relabeled(batches: AsyncIterable<Batch>, labelOf: Int32Array): AsyncGenerator<Batch> {
  for await (const batch of batches) {
    yield {
      ...batch,
      // A released batch has no images.
      get images() {
        return batch.images;
      },
      labels: batch.labels.map((label) => labelOf[label]!),
      release: () => batch.release?.(),
    };
  }
}

/** Lists at most 20 names, for a message. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 20).map((name) => JSON.stringify(name));
  return `[${shown.join(", ")}${names.length > 20 ? `, … ${names.length - 20} more` : ""}]`;
}
