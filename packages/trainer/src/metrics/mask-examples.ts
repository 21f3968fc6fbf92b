import { confusionMatrix } from "./confusion.ts";
import { overlaps } from "./confusion-metric.ts";

/** An image with its true and its predicted mask. */
export interface MaskExample {
  /** The image's index in the data set. */
  readonly index: number;
  /** The mean overlap (IoU) of the classes that its true or its predicted mask has. */
  readonly overlap: number;
  /** The class of each pixel; the data's `ignore` where it is not judged. */
  readonly actual: Int32Array;
  readonly predicted: Int32Array;
}

/** Keeps the `kept` images whose masks overlap least. */
export function worstMasks(
  classes: number,
  { kept, ignore }: { readonly kept: number; readonly ignore: number | undefined },
): {
  add(batch: {
    readonly indices: Int32Array;
    readonly actual: ArrayLike<number>;
    readonly predicted: ArrayLike<number>;
  }): void;
  result(): readonly MaskExample[];
} {
  let worst: MaskExample[] = [];
  return {
    add({ indices, actual, predicted }) {
      const pixels = actual.length / indices.length;
      for (const [row, index] of indices.entries()) {
        const own = (values: ArrayLike<number>): Int32Array =>
          Int32Array.from({ length: pixels }, (_, pixel) => values[row * pixels + pixel]!);
        const example = { index, actual: own(actual), predicted: own(predicted) };
        const overlap = meanOverlap(classes, example, ignore);
        // An image without a judged pixel has no overlap.
        if (Number.isNaN(overlap) || (worst.length === kept && overlap >= (worst.at(-1)?.overlap ?? 0))) continue;
        worst = [...worst, { ...example, overlap }].toSorted((a, b) => a.overlap - b.overlap).slice(0, kept);
      }
    },
    result: () => worst,
  };
}

function meanOverlap(
  classes: number,
  { actual, predicted }: Pick<MaskExample, "actual" | "predicted">,
  ignore: number | undefined,
): number {
  const matrix = confusionMatrix(classes);
  matrix.add(actual, predicted, ignore);
  const known = overlaps(matrix.counts).filter((share) => !Number.isNaN(share));
  return known.reduce((sum, share) => sum + share, 0) / known.length;
}
