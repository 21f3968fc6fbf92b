import { checkNumber, checkWhole } from "@convkit/core/internal";
import { OptionError, checkOptions } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import { UMAP } from "umap-js";
import type { Embeddings } from "./embed.ts";

export interface EmbeddingMapOptions {
  /** Neighbors of each image that the map keeps near; 15 by default, at most the number of images less one. */
  readonly neighbors?: number | undefined;
  /** The smallest distance of two points; 0.1 by default. */
  readonly spacing?: number | undefined;
  /** Rounds of the optimization; 200 to 500 by default, by the number of images. */
  readonly epochs?: number | undefined;
  /** Seed of the random numbers; 1 by default. */
  readonly seed?: number | undefined;
}

const names: OptionNames<EmbeddingMapOptions> = { neighbors: true, spacing: true, epochs: true, seed: true };

/** A point for each image. */
export interface EmbeddingMap {
  readonly shape: readonly [images: number, axes: 2];
  /** `[n, 2]`; only distances between near points mean something. */
  readonly values: Float32Array;
}

/**
 * A flat map of embeddings, where images that the network finds alike are near each other, by UMAP:
 * `[n, size] -> [n, 2]`. McInnes et al. 2018, https://arxiv.org/abs/1802.03426
 *
 * Throws an `OptionError` for fewer than three images.
 */
export function embeddingMap(
  { shape: [images, size], values }: Embeddings,
  options?: EmbeddingMapOptions,
): EmbeddingMap {
  const where = "embeddingMap";
  checkOptions(where, options, names);
  if (images < 3) throw new OptionError(`${where}: expected three images or more, got ${images}.`);
  const { neighbors = Math.min(15, images - 1), spacing = 0.1, epochs, seed = 1 } = options ?? {};
  checkWhole(where, "neighbors", neighbors, 1);
  checkWhole(where, "seed", seed, 0);
  checkNumber(where, "spacing", spacing, 0);
  if (epochs !== undefined) checkWhole(where, "epochs", epochs, 1);
  if (neighbors >= images) {
    throw new OptionError(`${where}: expected neighbors below the number of images, ${images}, got ${neighbors}.`);
  }
  const rows = Array.from({ length: images }, (_, i) => [...values.subarray(i * size, (i + 1) * size)]);
  const umap = new UMAP({
    nNeighbors: neighbors,
    minDist: spacing,
    random: randomNumbers(seed),
    ...(epochs === undefined ? {} : { nEpochs: epochs }),
  });
  return { shape: [images, 2], values: Float32Array.from(umap.fit(rows).flat()) };
}

/** Uniform numbers from 0 to 1 by a seed: the generator mulberry32. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
