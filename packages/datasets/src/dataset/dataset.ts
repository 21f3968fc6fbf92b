import type { ResizeMode } from "../images/resize/resize.ts";

/** Some images with their labels. `images` is `[n, h, w, c]` row by row; bytes are 0..255 and stay bytes until the graph. */
export interface Batch {
  images: Uint8Array | Float32Array;
  shape: [n: number, h: number, w: number, c: number];
  /** The class of each image. */
  labels: Int32Array;
  /** Where each image is in its data set. */
  indices: Int32Array;
  /** The index of the batch in its epoch, from 0. Unreadable batches keep their index but are not yielded. */
  place?: number;
  /**
   * Gives the memory of `images` to later batches and leaves `images` empty, so that many large batches need no garbage collections.
   * Without this call the memory is freed as usual.
   */
  release?(): void;
}

export interface BatchOptions {
  /** Images a batch; the last one may be smaller. */
  readonly batch: number;
  /** Draws the order anew for each `epoch`, always the same for the same seed and epoch; false unless said. */
  readonly shuffle?: boolean | undefined;
  /** 0 unless said. */
  readonly seed?: number | undefined;
  /** 0 unless said. */
  readonly epoch?: number | undefined;
  /** Leaves out a last batch that is not full; false unless said. */
  readonly dropRemainder?: boolean | undefined;
  /** Batches that are prepared ahead of the current one; by default 2 if images are decoded, else 0. */
  readonly prefetch?: number | undefined;
  /** Skips this many batches, to resume an epoch in its middle; 0 by default. */
  readonly skip?: number | undefined;
}

/** How image files became pixels of one size; each field is the option of `decodeImage` with that name. */
export interface Decoding {
  readonly size: readonly [h: number, w: number];
  readonly resize: ResizeMode;
  readonly crop: boolean;
  readonly orient: boolean;
}

/** Images of one size with labels, read in batches as often as wanted. */
export interface Dataset {
  readonly name: string;
  /** The class names, in the order of the labels. */
  readonly classes: readonly string[];
  readonly shape: readonly [h: number, w: number, c: number];
  readonly dtype: "uint8" | "float32";
  /** How many images an epoch has; `Infinity` where a generator does not say (`hasKnownSize` tells). */
  readonly size: number;
  /** How its image files are decoded; missing where the images are no files. */
  readonly decoding?: Decoding | undefined;
  batches(options: BatchOptions): AsyncIterable<Batch>;
}

/** A data set whose images can be read by their index. */
export interface IndexedDataset extends Dataset {
  /** The class of every image. */
  readonly labels: Int32Array;
  /** The files that are not used, with the reason; it grows while batches are read. */
  readonly skipped: readonly SkippedImage[];
  /** Sentences about oddities of the used images, such as two folders of one class. */
  readonly notes?: readonly string[] | undefined;
  /** The images at `indices`, in that order, as a data set of its own; nothing is copied. */
  select(indices: ArrayLike<number>, name?: string): IndexedDataset;
  /** A name of image `index` for people: its file, where it has one. */
  describe(index: number): string;
}

export interface SkippedImage {
  readonly file: string;
  readonly reason: string;
}

/** Images for training, for judging each epoch (validation), and for measuring the result (test). */
export interface DataSplits<Set extends Dataset = Dataset> {
  readonly name: string;
  readonly train: Set;
  readonly validation?: Set;
  readonly test?: Set;
}

/** True if the number of images is known; false for a generator without `size`, whose size is `Infinity`. */
export function hasKnownSize(data: Dataset): boolean {
  return Number.isFinite(data.size);
}
