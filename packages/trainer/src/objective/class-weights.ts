import { shown } from "@convkit/errors";
import type { Batch } from "@convkit/datasets";
import { TrainerError } from "../trainer-error.ts";

export interface Weighting {
  readonly classWeights?: readonly number[] | undefined;
  readonly sampleWeights?: Float32Array | undefined;
}

/** Factors for the loss of each image in a batch; undefined if all are 1. */
export function imageWeights({ classWeights, sampleWeights }: Weighting): (batch: Batch) => Float32Array | undefined {
  if (classWeights === undefined && sampleWeights === undefined) return () => undefined;
  return ({ labels, indices }) =>
    Float32Array.from(labels, (label, i) => (classWeights?.[label] ?? 1) * (sampleWeights?.[indices[i]!] ?? 1));
}

/**
 * Class weights that give all classes the same total, whatever their numbers of images. Their mean over the images is
 * 1.
 */
export function balancedClassWeights(labels: ArrayLike<number>, classes: number): number[] {
  if (typeof labels !== "object" || labels === null || !Number.isInteger(classes) || classes < 1) {
    throw new TrainerError(
      `balancedClassWeights: expected labels and the number of classes, got ${shown(labels)} and ${shown(classes)}.`,
    );
  }
  const counts = Array.from({ length: classes }, () => 0);
  for (const label of Array.from(labels)) counts[label]! += 1;
  const present = counts.filter((count) => count > 0).length;
  return counts.map((count) => (count === 0 ? 0 : labels.length / (present * count)));
}
