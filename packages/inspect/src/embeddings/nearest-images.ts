import { checkWhole } from "@convkit/core/internal";
import { OptionError, checkOptions, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import type { Embeddings } from "./embed.ts";

export interface NearestOptions {
  /** How many to give; 5 by default. */
  readonly count?: number | undefined;
  /** One minus the cosine of the angle, or the length of the difference; `"cosine"` by default. */
  readonly distance?: "cosine" | "euclidean" | undefined;
}

const names: OptionNames<NearestOptions> = { count: true, distance: true };

/** A near image, and how far away it is. */
export interface Neighbor {
  /** The image's row among the embeddings. */
  readonly index: number;
  readonly distance: number;
}

/**
 * The images whose embeddings are nearest to that of an image, the nearest first: `embed` gives both, `known` of training
 * images, `query` of one. Throws an `OptionError` where their sizes differ.
 */
export function nearestImages(known: Embeddings, query: Embeddings, options?: NearestOptions): Neighbor[] {
  const where = "nearestImages";
  checkOptions(where, options, names);
  const { count = 5, distance = "cosine" } = options ?? {};
  checkWhole(where, "count", count, 1);
  if (distance !== "cosine" && distance !== "euclidean") {
    throw new OptionError(`${where}: expected distance to be "cosine" or "euclidean", got ${shown(distance)}.`);
  }
  const [images, size] = known.shape;
  if (query.shape[0] !== 1 || query.shape[1] !== size) {
    throw new OptionError(`${where}: expected the embedding of one image, [1, ${size}], got ${shown(query.shape)}.`);
  }
  const lengths = (values: Float32Array): number => Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0)) || 1;
  const own = lengths(query.values);
  return Array.from({ length: images }, (_, index): Neighbor => {
    const row = known.values.subarray(index * size, (index + 1) * size);
    if (distance === "euclidean")
      return { index, distance: Math.sqrt(row.reduce((sum, value, i) => sum + (value - query.values[i]!) ** 2, 0)) };
    const product = row.reduce((sum, value, i) => sum + value * (query.values[i] as number), 0);
    return { index, distance: 1 - product / (own * lengths(row)) };
  })
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, count);
}
