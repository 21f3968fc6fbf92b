import { DataError } from "../data-error.ts";
import type { Batch, Part } from "./dataset.ts";

/** Throws a DataError for what cannot be a part. */
export function checkPart({ index, of }: Part): void {
  if (!Number.isSafeInteger(of) || of < 1 || !Number.isSafeInteger(index) || index < 0 || index >= of)
    throw new DataError(`part should be { index, of } with an index from 0 to of - 1, not { ${index}, ${of} }`);
}

/** The rows of a batch of `whole` images that a part has: `[first, end]`; the parts differ by one row at most. */
export function rowsOfPart(whole: number, { index, of }: Part): [number, number] {
  return [Math.floor((index * whole) / of), Math.floor(((index + 1) * whole) / of)];
}

/** Some rows of a batch; a view of its memory. */
export function rowsOf(batch: Batch, [first, end]: readonly [number, number]): Batch {
  const all = batch.labels.length;
  const rows = <T extends Batch["images"] | Int32Array>(values: T): T => {
    const width = values.length / all;
    return values.subarray(first * width, end * width) as T;
  };
  const named = <T extends Batch["images"] | Int32Array>(values: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(values).map(([name, each]) => [name, rows(each)]));
  const [, ...size] = batch.shape;
  return {
    images: rows(batch.images),
    shape: [end - first, ...size],
    labels: rows(batch.labels),
    indices: rows(batch.indices),
    ...(batch.targets && { targets: named(batch.targets) }),
    ...(batch.inputs && { inputs: named(batch.inputs) }),
    ...(batch.place !== undefined && { place: batch.place }),
  };
}

/**
 * One worker's part of a batch that was read whole, as `batches` with `part` gives it without reading the rest. A part without images has the
 * first image of the batch in their place, since all workers take part in each step; `part.own` is then 0.
 */
export function batchPart(batch: Batch, part: Part): Batch {
  checkPart(part);
  const whole = batch.labels.length;
  const [first, end] = rowsOfPart(whole, part);
  const own = end - first;
  return {
    ...rowsOf(batch, own === 0 ? [0, Math.min(1, whole)] : [first, end]),
    ...(batch.release && { release: () => batch.release!() }),
    part: { own, whole },
  };
}
