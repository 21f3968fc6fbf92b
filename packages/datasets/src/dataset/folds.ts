import { shown } from "@convkit/errors";
import { DataError } from "../data-error.ts";
import { checkNames } from "../images/decode-options.ts";
import { permutation } from "../random/permutation.ts";
import type { IndexedDataset } from "./dataset.ts";
import type { SplitOptions } from "./split.ts";
import { classCounts } from "./statistics.ts";
import { checkClasses } from "./stratify.ts";

/**
 * Parts `data` into `count` folds for cross-validation: for each fold, the rest and the fold. Each image is in one fold.
 * The sizes, also those of each class in a fold, are those of scikit-learn's `StratifiedKFold`, and without `stratify`
 * those of `KFold`; `stratify` is true by default if the images have classes. Throws a DataError if no class has
 * `count` images, or with fewer images than folds.
 */
export function splitFolds(
  data: IndexedDataset,
  count: number,
  options: SplitOptions = {},
): readonly (readonly [rest: IndexedDataset, fold: IndexedDataset])[] {
  checkNames("splitFolds", options, { seed: true, stratify: true });
  if (typeof data?.select !== "function") {
    throw new DataError(`splitFolds: expected a data set with images in known places, got ${shown(data)}`);
  }
  const { seed = 0, stratify = data.classes.length > 0 } = options;
  if (!Number.isInteger(count) || count < 2 || count > data.size) {
    throw new DataError(
      `splitFolds: expected a whole number of folds from 2 to the ${data.size} images of ${data.name}, got ${shown(count)}`,
    );
  }
  if (stratify) checkClasses(data);
  const foldOf = stratify ? stratifiedFolds(data, count, seed) : plainFolds(data.size, count, seed);
  const images = Array.from({ length: data.size }, (_, image) => image);
  return Array.from({ length: count }, (_, fold) => [
    data.select(images.filter((image) => foldOf[image] !== fold)),
    data.select(images.filter((image) => foldOf[image] === fold)),
  ]);
}

/** The fold of each image; the first folds get one image more if the images do not divide. */
function plainFolds(size: number, count: number, seed: number): Int32Array {
  const foldOf = new Int32Array(size);
  const [share, rest] = [Math.floor(size / count), size % count];
  const ends = Array.from({ length: count }, (_, fold) => (fold + 1) * share + Math.min(fold + 1, rest));
  for (const [place, image] of permutation(size, seed).entries()) foldOf[image] = ends.findIndex((end) => place < end);
  return foldOf;
}

/** The fold of each image; the images of the sorted classes are dealt out to the folds in turn, as in scikit-learn. */
function stratifiedFolds(data: IndexedDataset, count: number, seed: number): Int32Array {
  const { labels, classes, name } = data;
  const counts = classCounts(data);
  const most = Math.max(...counts);
  if (most < count) {
    throw new DataError(
      `splitFolds: ${name} has at most ${most} images of a class, too few for ${count} folds; ask for fewer, or for stratify: false`,
    );
  }
  // scikit-learn sorts the classes by their first image.
  const inOrder = [...new Set(labels)].flatMap((label) => Array<number>(counts[label]!).fill(label));
  const foldsOfClass = classes.map((): number[] => []);
  for (const [place, label] of inOrder.entries()) foldsOfClass[label]!.push(place % count);
  const foldOf = new Int32Array(labels.length);
  for (const image of permutation(labels.length, seed)) foldOf[image] = foldsOfClass[labels[image]!]!.pop()!;
  return foldOf;
}
