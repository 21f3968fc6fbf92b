/** Some images with their labels. `images` is `[n, h, w, c]` row by row; bytes are 0..255 and stay bytes until the graph. */
export interface Batch {
  images: Uint8Array | Float32Array;
  shape: [n: number, h: number, w: number, c: number];
  /** The class of each image. */
  labels: Int32Array;
  /** Where each image is in its data set. */
  indices: Int32Array;
  /** Which batch of the epoch it is, from 0; one of which no image could be read is counted, though it never comes. */
  place?: number;
  /**
   * Gives the memory of `images` to batches to come, so that reading many large ones calls for no garbage collections, and leaves
   * `images` empty. Without it, the memory is freed as all other.
   */
  release?(): void;
}

export interface BatchOptions {
  /** Images a batch; the last one may be smaller. */
  batch: number;
  /** Draws the order anew for each `epoch`, always the same for the same seed and epoch. */
  shuffle?: boolean;
  seed?: number;
  epoch?: number;
  /** Leaves out a last batch that is not full. */
  dropRemainder?: boolean;
  /** How many batches are made ready ahead of the one asked for; where images are decoded, 2. */
  prefetch?: number;
  /** Leaves out the first batches: where a run is taken up in the middle of an epoch. */
  skip?: number;
}

/** Images of one size with labels, read in batches as often as wanted. */
export interface Dataset {
  readonly name: string;
  /** The class names, in the order of the labels. */
  readonly classes: readonly string[];
  readonly shape: readonly [h: number, w: number, c: number];
  readonly dtype: "uint8" | "float32";
  /** How many images; `Infinity` for a generator without an end. */
  readonly size: number;
  batches(options: BatchOptions): AsyncIterable<Batch>;
}

/** A data set of which any image can be asked for. */
export interface IndexedDataset extends Dataset {
  /** The class of every image. */
  readonly labels: Int32Array;
  /** The images that were left out since they could not be read; grows while batches are read. */
  readonly skipped: readonly SkippedImage[];
  /** The images at `indices`, in that order, as a data set of its own; nothing is copied. */
  select(indices: ArrayLike<number>, name?: string): IndexedDataset;
  /** What to call image `index` for a person: its file, where it has one. */
  describe(index: number): string;
}

export interface SkippedImage {
  file: string;
  reason: string;
}

/** What a model is trained on, what its epochs are judged by, and what the result is measured on. */
export interface DataSplits<Set extends Dataset = Dataset> {
  readonly name: string;
  readonly train: Set;
  readonly validation?: Set;
  readonly test?: Set;
}
