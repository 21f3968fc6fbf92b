import { batchMemory, LentBatch } from "./batch-memory.ts";
import { checkPart, rowsOf, rowsOfPart } from "./batch-part.ts";
import type { BatchMemory } from "./batch-memory.ts";
import { type OptionNames, shown } from "@convkit/errors";
import { DataError } from "../data-error.ts";
import type { Batch, BatchOptions, Dataset, Decoding, IndexedDataset, Part, SkippedImage, Target } from "./dataset.ts";
import { inputsAt, shapesOf, specsOf, type StoredInputs, type StoredTargets, targetsAt, valuesAt } from "./targets.ts";
import { checkNames } from "../images/decode-options.ts";
import type { DecodedCache } from "../images/decoded-cache.ts";
import type { ImageSource } from "../images/image-source.ts";
import { balancedOrder } from "../random/balanced-order.ts";
import { permutation } from "../random/permutation.ts";

/** Reads images by their index; `datasetFrom` adds order, batches and prefetching. */
export interface Source {
  name: string;
  classes: readonly string[];
  shape: readonly [h: number, w: number, c: number];
  dtype: "uint8" | "float32";
  labels: Int32Array;
  /** Targets besides or instead of a class. */
  targets?: StoredTargets | undefined;
  /** Masks that are read with their images, as a target of that name. */
  masks?: { readonly name: string; readonly target: Target; read(indices: ArrayLike<number>): Promise<Uint8Array> };
  /** Further inputs of the model. */
  inputs?: StoredInputs | undefined;
  decoding?: Decoding;
  skipped?: readonly SkippedImage[];
  notes?: readonly string[];
  decodedCache?: DecodedCache | undefined;
  /** Default number of batches to prefetch. */
  prefetch?: number;
  /** The most bytes of prefetched batches. */
  memory?: number;
  describe?(index: number): string;
  /**
   * Writes the images at `indices` one after the other; resolves to the positions (in `indices`) of images that were
   * left out.
   */
  read(indices: Int32Array, images: Uint8Array | Float32Array): Promise<readonly number[]> | void;
  /** The order of a shuffled epoch, as positions in `chosen`; by default all orders are equally likely. */
  shuffled?(chosen: Int32Array, how: { readonly seed: number; readonly epoch: number }): Int32Array;
  /** A reader for images that will be read in the order of `indices`, batch by batch; `read` by default. */
  open?(indices: Int32Array): OpenSource;
  /** Why images should be read in the order that `shuffled` gives, if they are read as a stream. */
  isStream?: string | undefined;
  /** The encoded image, if it lies in a file or a part of a file. */
  encoded?(index: number): ImageSource;
}

/** A source that is read in a known order. */
export interface OpenSource extends Pick<Source, "read"> {
  close(): Promise<void>;
}

/** Makes a data set that reads from `source`. */
export function datasetFrom(source: Source): IndexedDataset {
  return indexed({ ...source, memoryOfBatches: batchMemory() }, source.name, undefined);
}

const batchOptionNames: OptionNames<BatchOptions> = {
  batch: true,
  shuffle: true,
  seed: true,
  epoch: true,
  sampling: true,
  repeats: true,
  dropRemainder: true,
  prefetch: true,
  skip: true,
  part: true,
};

/** `BatchOptions` with their defaults, without `prefetch`, `sampling`, `repeats` and `part`. */
interface CheckedBatchOptions {
  readonly batch: number;
  readonly shuffle: boolean;
  readonly seed: number;
  readonly epoch: number;
  readonly dropRemainder: boolean;
  readonly skip: number;
}

/** Fills in the defaults. Throws a DataError for unknown options and invalid numbers. */
export function checkBatchOptions(options: BatchOptions): CheckedBatchOptions {
  checkNames("batches", options, batchOptionNames);
  const { batch, shuffle = false, seed = 0, epoch = 0, dropRemainder = false, skip = 0 } = options;
  if (!Number.isInteger(batch) || batch < 1) throw new DataError(`batch should be a whole number from 1, not ${batch}`);
  for (const [name, value] of Object.entries({ seed, epoch, skip, prefetch: options.prefetch ?? 0 }))
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new DataError(`${name} should be a whole number from 0, not ${value}`);
    }
  const { sampling = "balanced" } = options;
  if (sampling !== "balanced") throw new DataError(`sampling should be "balanced", not ${shown(sampling)}`);
  const { repeats = 1 } = options;
  if (!Number.isInteger(repeats) || repeats < 1)
    throw new DataError(`repeats should be a whole number from 1, not ${shown(repeats)}`);
  if (options.part !== undefined) checkPart(options.part);
  return { batch, shuffle, seed, epoch, dropRemainder, skip };
}

/** Number of batches per epoch of `data`; `Infinity` if its size is not known. */
export function batchCount(data: Dataset, batch: number, dropRemainder = false): number {
  return dropRemainder ? Math.floor(data.size / batch) : Math.ceil(data.size / batch);
}

/** A source and the batch memory that all its selections share. */
interface Shared extends Source {
  memoryOfBatches: BatchMemory;
}

function indexed(source: Shared, name: string, chosen: Int32Array | undefined): IndexedDataset {
  const size = chosen?.length ?? source.labels.length;
  const labels = chosen === undefined ? source.labels : chosen.map((index) => source.labels[index]!);
  const { classes, shape, dtype } = source;
  const data: IndexedDataset = {
    name,
    classes,
    shape,
    dtype,
    size,
    labels,
    ...((source.targets ?? source.masks) && {
      targets: { ...specsOf(source.targets ?? {}), ...(source.masks && { [source.masks.name]: source.masks.target }) },
    }),
    ...(source.masks && {
      readMasks: (indices) =>
        source.masks!.read(chosen === undefined ? indices : Int32Array.from(indices, (index) => chosen[index]!)),
    }),
    // Masks are large: they are copied only for a reader.
    get targetValues() {
      if (source.targets === undefined) return undefined;
      return chosen === undefined ? valuesAt(source.targets) : targetsAt(source.targets, chosen);
    },
    ...(source.inputs && { inputs: shapesOf(source.inputs) }),
    decoding: source.decoding,
    readsParts: true,
    skipped: source.skipped ?? [],
    notes: source.notes ?? [],
    ...(source.decodedCache && { decodedCache: source.decodedCache }),
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
  if (source.encoded !== undefined) encodedImages.set(data, (index) => source.encoded!(chosen?.[index] ?? index));
  return data;
}

const encodedImages = new WeakMap<IndexedDataset, (index: number) => ImageSource>();

/** Tells where the encoded images of a data set lie; undefined if they are in memory or in streams. */
export function encodedImagesOf(data: IndexedDataset): ((index: number) => ImageSource) | undefined {
  return encodedImages.get(data);
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
  if (options.sampling !== undefined && source.classes.length === 0)
    throw new DataError(`sampling "balanced" needs a class for each image, and ${source.name} has none`);
  if (options.sampling !== undefined && source.isStream !== undefined)
    throw new DataError(`sampling "balanced" needs images in any order, but ${source.name} is ${source.isStream}`);
  const { repeats = 1, part } = options;
  if (repeats > 1 && source.isStream !== undefined)
    throw new DataError(`repeats needs images in any order, but ${source.name} is ${source.isStream}`);
  const inOrder = Int32Array.from({ length: source.shuffled || source.open ? size : 0 }, (_, i) => chosen?.[i] ?? i);
  const shuffled = shuffle
    ? (source.shuffled?.(inOrder, { seed, epoch }) ?? permutation(size, seed, epoch))
    : undefined;
  const once = options.sampling === undefined ? shuffled : balancedOrder(labels, seed, epoch);
  const order = repeats === 1 ? once : repeatedOrder(once ?? Int32Array.from(labels.keys()), repeats);
  const ends = dropRemainder ? size - (size % batch) : size;

  const imageBytes = pixels * (source.dtype === "uint8" ? 1 : 4);

  const first = Math.min(ends, skip * batch);
  const read = order === undefined ? inOrder.slice(first, ends) : order.slice(first, ends).map((i) => inOrder[i]!);
  const reader = source.open?.(part === undefined ? read : rowsOfParts(read, batch, part));

  const load = async (from: number, length: number, reads: Pick<Source, "read"> = reader ?? source): Promise<Batch> => {
    const indices = order?.slice(from, from + length) ?? Int32Array.from({ length }, (_, i) => from + i);
    const memory = source.memoryOfBatches.take(length * imageBytes);
    const images = source.dtype === "uint8" ? new Uint8Array(memory) : new Float32Array(memory);
    const missing = await reads.read(chosen === undefined ? indices : indices.map((i) => chosen[i]!), images);
    const made: Batch = { images, shape: [length, h, w, c], labels: indices.map((i) => labels[i]!), indices };
    const whole = missing === undefined || missing.length === 0 ? made : without(made, new Set(missing));
    const places = chosen === undefined ? whole.indices : whole.indices.map((i) => chosen[i]!);
    const masks = source.masks && { [source.masks.name]: Int32Array.from(await source.masks.read(places)) };
    const more = {
      ...((source.targets ?? masks) && { targets: { ...targetsAt(source.targets ?? {}, places), ...masks } }),
      ...(source.inputs && { inputs: inputsAt(source.inputs, places) }),
    };
    return { ...whole, ...more };
  };
  const loadPart = async (from: number, whole: number, rows: readonly [number, number]): Promise<Batch> => {
    const [first, end] = rows;
    const own = end > first ? await load(from + first, end - first) : undefined;
    if (own !== undefined && own.labels.length > 0) return { ...own, part: { own: own.labels.length, whole } };
    // Nothing of this part can be read: an image of the others stands in, unless the batch has none at all.
    const any = await load(from, whole, source);
    return { ...rowsOf(any, [0, Math.min(1, any.labels.length)]), part: { own: 0, whole } };
  };
  const start = async (from: number): Promise<Batch> => {
    const length = Math.min(batch, ends - from);
    const made = part === undefined ? load(from, length) : loadPart(from, length, rowsOfPart(length, part));
    return new LentBatch({ ...(await made), place: from / batch }, source.memoryOfBatches);
  };

  const affordable = Math.floor((source.memory ?? Number.POSITIVE_INFINITY) / (batch * imageBytes)) - 1;
  const ahead = Math.max(0, Math.min(options.prefetch ?? source.prefetch ?? 0, affordable));
  const ready: Promise<Batch>[] = [];
  try {
    for (let from = skip * batch; from < ends || ready.length > 0;) {
      while (from < ends && ready.length <= ahead) {
        const made = start(from);
        // A reader that stops early never awaits the prefetched batches: their failures must not end the process.
        made.catch(() => {});
        ready.push(made);
        from += batch;
      }
      const next = await ready.shift()!;
      if (next.labels.length > 0) yield next;
    }
  } finally {
    await reader?.close();
  }
}

/** The images of one part of each batch of an order. */
function rowsOfParts(order: Int32Array, batch: number, part: Part): Int32Array {
  const rows: number[] = [];
  for (let from = 0; from < order.length; from += batch) {
    const [first, end] = rowsOfPart(Math.min(batch, order.length - from), part);
    rows.push(...order.subarray(from + first, from + end));
  }
  return Int32Array.from(rows);
}

/** The first images of an order, each `repeats` times in a row, as many in all as the order has. */
function repeatedOrder(order: Int32Array, repeats: number): Int32Array {
  return order.map((_, place) => order[Math.floor(place / repeats)]!);
}

/** The batch without the images at the positions in `missing`. */
function without({ images, shape, labels, indices }: Batch, missing: ReadonlySet<number>): Batch {
  const [n, h, w, c] = shape;
  const pixels = h * w * c;
  let count = 0;
  for (let place = 0; place < n; place++) {
    if (missing.has(place)) continue;
    images.copyWithin(count * pixels, place * pixels, (place + 1) * pixels);
    labels[count] = labels[place]!;
    indices[count] = indices[place]!;
    count++;
  }
  return {
    images: images.subarray(0, count * pixels),
    shape: [count, h, w, c],
    labels: labels.subarray(0, count),
    indices: indices.subarray(0, count),
  };
}
