import { type Batch, batchPart, type BatchOptions, type Dataset } from "@convkit/datasets";
import type { Worker } from "@convkit/graph";
import { TrainerError } from "../trainer-error.ts";

/** The number of images of the batch that a part is from; that of the batch itself if it is whole. */
export function wholeSize({ part, labels }: Batch): number {
  return part?.whole ?? labels.length;
}

/** The number of images to count in this worker. */
export function ownSize({ part, labels }: Batch): number {
  return part?.own ?? labels.length;
}

/** The most images that a worker gets of a batch of `images`. */
export function mostOwn(images: number, { count }: Pick<Worker, "count">): number {
  return Math.ceil(images / count);
}

/** The batches of a data set, or this worker's part of each, of which it reads no more than its part if the data set can. */
export function batchesOf(
  data: Dataset,
  options: BatchOptions,
  worker: Pick<Worker, "rank" | "count"> | undefined,
): AsyncIterable<Batch> {
  return worker === undefined ? data.batches(options) : partsOf(data, options, worker);
}

async function* partsOf(
  data: Dataset,
  options: BatchOptions,
  { rank, count }: Pick<Worker, "rank" | "count">,
): AsyncGenerator<Batch> {
  const part = { index: rank, of: count };
  const reads = data.readsParts === true;
  for await (const batch of data.batches(reads ? { ...options, part } : options)) {
    // Split anew, such a batch would lose images.
    if (reads && batch.part === undefined)
      throw new TrainerError(
        `${data.name}: expected batches with \`part\` from a data set with readsParts, got none: hand on the part of each batch, or leave out readsParts.`,
      );
    yield reads ? batch : batchPart(batch, part);
  }
}
