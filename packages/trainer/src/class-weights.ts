import type { Batch } from "@convkit/datasets";

export interface Weighting {
  readonly classWeights?: readonly number[];
  readonly sampleWeights?: Float32Array;
}

/** What each image of a batch counts, or undefined where all count alike. */
export function classWeighting({ classWeights, sampleWeights }: Weighting): (batch: Batch) => Float32Array | undefined {
  if (classWeights === undefined && sampleWeights === undefined) return () => undefined;
  return ({ labels, indices }) =>
    Float32Array.from(labels, (label, i) => (classWeights?.[label] ?? 1) * (sampleWeights?.[indices[i]!] ?? 1));
}
