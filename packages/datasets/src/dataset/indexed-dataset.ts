import { batchMemory, LentBatch } from "./batch-memory.ts";
import type { BatchMemory } from "./batch-memory.ts";
import { DataError } from "../data-error.ts";
import type { Batch, BatchOptions, Dataset, IndexedDataset, SkippedImage } from "./dataset.ts";
import { permutation } from "../random/permutation.ts";

/** Where a data set's images come from: whoever can fill in an image by its index gets order, batches and prefetch. */
export interface Source {
  name: string;
  classes: readonly string[];
  shape: readonly [h: number, w: number, c: number];
  dtype: "uint8" | "float32";
  labels: Int32Array;
  skipped?: readonly SkippedImage[];
  /** Batches made ready ahead when the caller does not say. */
  prefetch?: number;
  /** The most bytes that batches made ready ahead may take. */
  memory?: number;
  describe?(index: number): string;
  /** Writes the images at `indices` one after the other; resolves to the places (in `indices`) of those left out. */
  read(indices: Int32Array, images: Uint8Array | Float32Array): Promise<readonly number[]> | void;
}

/** The data set that reads from `source`. */
export function datasetFrom(source: Source): IndexedDataset {
  return indexed({ ...source, memoryOfBatches: batchMemory() }, source.name, undefined);
}

/** `options` with defaults, or a `DataError` for a batch size or a count that makes no sense. */
export function checkBatchOptions(options: BatchOptions): Required<Omit<BatchOptions, "prefetch">> {
  const { batch, shuffle = false, seed = 0, epoch = 0, dropRemainder = false, skip = 0 } = options;
  if (!Number.isInteger(batch) || batch < 1) throw new DataError(`batch should be a whole number from 1, not ${batch}`);
  for (const [name, value] of Object.entries({ seed, epoch, skip }))
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new DataError(`${name} should be a whole number from 0, not ${value}`);
    }
  return { batch, shuffle, seed, epoch, dropRemainder, skip };
}

/** How many batches `data` gives. */
export function batchCount(data: Dataset, batch: number, dropRemainder = false): number {
  return dropRemainder ? Math.floor(data.size / batch) : Math.ceil(data.size / batch);
}

/** A source, and the memory that the batches of all its selections share. */
interface Shared extends Source {
  memoryOfBatches: BatchMemory;
}

function indexed(source: Shared, name: string, chosen: Int32Array | undefined): IndexedDataset {
  const size = chosen?.length ?? source.labels.length;
  const labels = chosen === undefined ? source.labels : chosen.map((index) => source.labels[index]!);
  const { classes, shape, dtype } = source;
  return {
    name,
    classes,
    shape,
    dtype,
    size,
    labels,
    skipped: source.skipped ?? [],
    describe: (index) => {
      const place = chosen?.[index] ?? index;
      return source.describe?.(place) ?? `${source.name}[${place}]`;
    },
    select(indices, selected = name) {
      const places = Int32Array.from(indices, (index) => {
        if (Number.isInteger(index) && index >= 0 && index < size) return chosen?.[index] ?? index;
        throw new DataError(`${name} has images 0 to ${size - 1}, not ${index}`);
      });
      return indexed(source, selected, places);
    },
    batches: (options) => readBatches(source, chosen, labels, options),
  };
}

async function* readBatches(
  source: Shared,
  chosen: Int32Array | undefined,
  labels: Int32Array,
  options: BatchOptions,
): AsyncGenerator<Batch> {
  const { batch, shuffle, seed, epoch, dropRemainder, skip } = checkBatchOptions(options);
  const size = labels.length;
  const [h, w, c] = source.shape;
  const pixels = h * w * c;
  const order = shuffle ? permutation(size, seed, epoch) : undefined;
  const ends = dropRemainder ? size - (size % batch) : size;

  const imageBytes = pixels * (source.dtype === "uint8" ? 1 : 4);

  const start = async (from: number): Promise<Batch> => {
    const length = Math.min(batch, ends - from);
    const indices = order?.slice(from, from + length) ?? Int32Array.from({ length }, (_, i) => from + i);
    const memory = source.memoryOfBatches.take(length * imageBytes);
    const images = source.dtype === "uint8" ? new Uint8Array(memory) : new Float32Array(memory);
    const missing = await source.read(chosen === undefined ? indices : indices.map((i) => chosen[i]!), images);
    const made: Batch = { images, shape: [length, h, w, c], labels: indices.map((i) => labels[i]!), indices };
    const whole = missing === undefined || missing.length === 0 ? made : without(made, new Set(missing));
    return new LentBatch({ ...whole, place: from / batch }, source.memoryOfBatches);
  };

  const affordable = Math.floor((source.memory ?? Number.POSITIVE_INFINITY) / (batch * imageBytes)) - 1;
  const ahead = Math.max(0, Math.min(options.prefetch ?? source.prefetch ?? 0, affordable));
  const ready: Promise<Batch>[] = [];
  for (let from = skip * batch; from < ends || ready.length > 0;) {
    while (from < ends && ready.length <= ahead) {
      const made = start(from);
      // Whoever stops in the middle never awaits the rest: their failures must not end the process.
      made.catch(() => {});
      ready.push(made);
      from += batch;
    }
    const next = await ready.shift()!;
    if (next.labels.length > 0) yield next;
  }
}

/** The batch less the images at the places `missing`. */
function without({ images, shape, labels, indices }: Batch, missing: ReadonlySet<number>): Batch {
  const [n, h, w, c] = shape;
  const pixels = h * w * c;
  let kept = 0;
  for (let place = 0; place < n; place++) {
    if (missing.has(place)) continue;
    images.copyWithin(kept * pixels, place * pixels, (place + 1) * pixels);
    labels[kept] = labels[place]!;
    indices[kept] = indices[place]!;
    kept++;
  }
  return {
    images: images.subarray(0, kept * pixels),
    shape: [kept, h, w, c],
    labels: labels.subarray(0, kept),
    indices: indices.subarray(0, kept),
  };
}
