import type { Batch } from "@convkit/datasets";
import type { Worker } from "@convkit/graph";

/** A worker's part of a batch. */
export interface BatchPart extends Batch {
  /** The number of images that this worker is to count; 0 if the first image stands in, since the batch has too few for all. */
  readonly own: number;
  /** The number of images of the whole batch. */
  readonly whole: number;
}

/** The number of images of the batch that a part is from; that of the batch itself if it is whole. */
export function wholeSize(batch: Batch): number {
  return (batch as Partial<BatchPart>).whole ?? batch.labels.length;
}

/** The number of images to count in this worker. */
export function ownSize(batch: Batch): number {
  return (batch as Partial<BatchPart>).own ?? batch.labels.length;
}

/** The most images that a worker gets of a batch of `images`. */
export function mostOwn(images: number, { count }: Pick<Worker, "count">): number {
  return Math.ceil(images / count);
}

/** This worker's part of each batch: a run of images whose length differs between the workers by one at most. */
export async function* partsOf(
  batches: AsyncIterable<Batch>,
  worker: Pick<Worker, "rank" | "count">,
): AsyncGenerator<BatchPart> {
  for await (const batch of batches) yield partOf(batch, worker);
}

function partOf(batch: Batch, { rank, count }: Pick<Worker, "rank" | "count">): BatchPart {
  const whole = batch.labels.length;
  const [start, end] = [rank, rank + 1].map((place) => Math.floor((place * whole) / count)) as [number, number];
  const own = end - start;
  // All workers take part in each step.
  const [from, to] = own === 0 ? [0, 1] : [start, end];
  const rows = <T extends Batch["images"] | Int32Array>(values: T): T => {
    const width = values.length / whole;
    return values.subarray(from * width, to * width) as T;
  };
  const all = <T extends Batch["images"] | Int32Array>(named: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(named).map(([name, values]) => [name, rows(values)]));
  const [, ...size] = batch.shape;
  return {
    images: rows(batch.images),
    shape: [to - from, ...size],
    labels: rows(batch.labels),
    indices: rows(batch.indices),
    ...(batch.targets && { targets: all(batch.targets) }),
    ...(batch.inputs && { inputs: all(batch.inputs) }),
    ...(batch.place !== undefined && { place: batch.place }),
    ...(batch.release && { release: () => batch.release!() }),
    own,
    whole,
  };
}
