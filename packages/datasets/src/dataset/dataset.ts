import type { DecodedCache } from "../images/decoded-cache.ts";
import type { ResizeMode } from "../images/resize/resize.ts";

/**
 * Some images with their labels. `images` is `[n, h, w, c]` in row-major order; bytes are 0..255 and stay bytes until
 * the graph.
 */
export interface Batch {
  images: Uint8Array | Float32Array;
  shape: [n: number, h: number, w: number, c: number];
  /** The class of each image; 0 if the data set has targets of which none is a class. */
  labels: Int32Array;
  /** The values of each target, one image after the other; missing if the data set has classes only. */
  targets?: Readonly<Record<string, TargetValues>>;
  /** The values of the model's further inputs, one image after the other; missing if there are none. */
  inputs?: Readonly<Record<string, Float32Array>>;
  /** The index of each image in its data set. */
  indices: Int32Array;
  /** The index of the batch in its epoch, from 0. Unreadable batches keep their index but are not yielded. */
  place?: number;
  /**
   * With the option `part`: how many images the part has, 0 if the batch has too few for all parts and its first image stands in, and how many
   * the whole batch was to have. Missing in a whole batch.
   */
  part?: { readonly own: number; readonly whole: number };
  /**
   * Makes the memory of `images` reusable for later batches, and leaves `images` empty. This saves garbage collections
   * of large batches. Without this call the memory is freed as usual.
   */
  release?(): void;
}

/** The values of a target: class numbers and masks are whole, labels (0 or 1) and numbers are floats. */
export type TargetValues = Int32Array | Float32Array;

/** What a network is to tell of each image. */
export interface Target {
  /**
   * `class`: one class of several. `labels`: any of several labels, each 0 or 1. `numbers`: numbers to predict. `mask`:
   * a class for each pixel.
   */
  readonly kind: "class" | "labels" | "numbers" | "mask";
  /** The names of the classes, of the labels or of the numbers. */
  readonly names: readonly string[];
  /** The shape of one image's values: `[]` for a class, `[labels]`, `[numbers]`, or `[h, w]` for a mask. */
  readonly shape: readonly number[];
  /** The value of a mask's pixels that are not judged; missing if all are. */
  readonly ignore?: number | undefined;
}

/** Which part of each batch one of several workers reads. */
export interface Part {
  /** The number of the part, from 0. */
  readonly index: number;
  /** The number of parts. */
  readonly of: number;
}

export interface BatchOptions {
  /** Images per batch; the last batch may be smaller. */
  readonly batch: number;
  /** Shuffles anew for each `epoch`. The order depends only on the seed and the epoch. False by default. */
  readonly shuffle?: boolean | undefined;
  /** Seed of the order; 0 by default. */
  readonly seed?: number | undefined;
  /** The epoch whose order is used, from 0; 0 by default. */
  readonly epoch?: number | undefined;
  /**
   * `"balanced"` draws each class equally often, in an order by seed and epoch; an epoch still has as many images as
   * the data set. By default each image comes once.
   */
  readonly sampling?: "balanced" | undefined;
  /**
   * Each image comes so many times in a row, in an epoch of as many images as the data set has: another part of it in each
   * shuffled epoch. Repeated augmentation (Hoffer et al. 2019). 1 by default.
   */
  readonly repeats?: number | undefined;
  /** Leaves out a last batch that is not full; false by default. */
  readonly dropRemainder?: boolean | undefined;
  /** Batches that are prepared ahead of the current one; by default 2 if images are decoded, else 0. */
  readonly prefetch?: number | undefined;
  /** Skips this many batches, to resume an epoch in its middle; 0 by default. */
  readonly skip?: number | undefined;
  /** Reads one part of each batch, for one of several workers; all of it by default. See `readsParts`. */
  readonly part?: Part | undefined;
}

/** How image files were decoded to pixels of one size; each field is the option of `decodeImage` with that name. */
export interface Decoding {
  readonly size: readonly [h: number, w: number];
  readonly resize: ResizeMode;
  readonly crop: boolean | number;
  readonly orient: boolean;
}

/** Images of one size with labels; batches can be read repeatedly. */
export interface Dataset {
  readonly name: string;
  /** The class names, in the order of the labels; none if the data set has targets of which none is a class. */
  readonly classes: readonly string[];
  /** The targets by name; missing if each image has a class and nothing else. */
  readonly targets?: Readonly<Record<string, Target>> | undefined;
  /** The shapes of the further inputs by the names of the model's inputs; missing if images are the only input. */
  readonly inputs?: Readonly<Record<string, readonly number[]>> | undefined;
  readonly shape: readonly [h: number, w: number, c: number];
  readonly dtype: "uint8" | "float32";
  /** Number of images per epoch; `Infinity` if a generator does not state it (check with `hasKnownSize`). */
  readonly size: number;
  /** How the image files are decoded; missing if the images are not files. */
  readonly decoding?: Decoding | undefined;
  /** Whether `batches` takes `part` and decodes no more than that; false by default, as for generators. */
  readonly readsParts?: boolean | undefined;
  batches(options: BatchOptions): AsyncIterable<Batch>;
}

/** A data set whose images can be read by their index. */
export interface IndexedDataset extends Dataset {
  /** The class of every image. */
  readonly labels: Int32Array;
  /**
   * The values of each target, one image after the other, without masks of files; missing if the data set has classes or masks of
   * files only.
   */
  readonly targetValues?: Readonly<Record<string, TargetValues>> | undefined;
  /** Reads the masks of the images at `indices`, one after the other, one byte a pixel; missing without masks of files. */
  readMasks?(indices: ArrayLike<number>): Promise<Uint8Array>;
  /** The unusable files, each with the reason; the list grows while batches are read. */
  readonly skipped: readonly SkippedImage[];
  /** Notes on surprising properties of the used images, such as two folders of one class; none by default. */
  readonly notes?: readonly string[] | undefined;
  /** How the cache of `keep: "disk"` is used; missing without it. */
  readonly decodedCache?: DecodedCache | undefined;
  /** The images at `indices`, in that order, as a new data set; nothing is copied. */
  select(indices: ArrayLike<number>, name?: string): IndexedDataset;
  /** A readable name for image `index`: its file, if it has one. */
  describe(index: number): string;
}

export interface SkippedImage {
  readonly file: string;
  readonly reason: string;
}

/** Images for training, for validating each epoch, and for the final test. */
export interface DataSplits<Set extends Dataset = Dataset> {
  readonly name: string;
  readonly train: Set;
  /** Images for validating each epoch; missing if there are none. */
  readonly validation?: Set | undefined;
  /** Images for the final test; missing if there are none. */
  readonly test?: Set | undefined;
}

/** True if the number of images is known; false for a generator without `size`, whose size is `Infinity`. */
export function hasKnownSize(data: Dataset): boolean {
  return Number.isFinite(data.size);
}
