import { checkOptions, shown } from "@convkit/errors";
import type { Batch } from "@convkit/datasets";
import { byOutput, type OutputTask } from "./output-tasks.ts";
import { TrainerError } from "../trainer-error.ts";

/** Weights of classes and of images: the same for all outputs, or by the outputs' names. */
export interface Weighting {
  readonly classWeights?: readonly number[] | Readonly<Record<string, readonly number[]>> | undefined;
  readonly sampleWeights?: Float32Array | Readonly<Record<string, Float32Array>> | undefined;
}

/** For each output, factors for the loss of each image in a batch; undefined if all are 1. */
export type ImageWeights = (batch: Batch) => readonly Float32Array[] | undefined;

/** The factors of the images by the weights of their classes and their own weights. */
export function imageWeights({ classWeights, sampleWeights }: Weighting, tasks: readonly OutputTask[]): ImageWeights {
  if (classWeights === undefined && sampleWeights === undefined) return () => undefined;
  const parts = tasks.map(({ output, kind, target }) => ({
    target,
    // Weights of labels and of a mask's classes are part of the loss.
    byClass: kind === "class" ? (byOutput(classWeights) ? classWeights[output] : classWeights) : undefined,
    own: sampleWeights instanceof Float32Array ? sampleWeights : sampleWeights?.[output],
  }));
  return ({ labels, targets, indices }) =>
    parts.map(({ target, byClass, own }) =>
      Float32Array.from(
        targets?.[target] !== undefined && byClass !== undefined ? targets[target] : labels,
        (label, i) => (byClass?.[label] ?? 1) * (own?.[indices[i]!] ?? 1),
      ),
    );
}

/**
 * Class weights that give all classes the same total, whatever their numbers of images. Their mean over the images is
 * 1. For masks, give the classes of all pixels, and `ignore` for the value of pixels that are not judged.
 */
export function balancedClassWeights(
  labels: ArrayLike<number>,
  classes: number,
  options: {
    /** The value of a mask's pixels that are not judged; none by default. */
    readonly ignore?: number | undefined;
  } = {},
): number[] {
  checkOptions("balancedClassWeights", options, { ignore: true }, (message) => new TrainerError(message));
  if (typeof labels !== "object" || labels === null || !Number.isInteger(classes) || classes < 1) {
    throw new TrainerError(
      `balancedClassWeights: expected labels and the number of classes, got ${shown(labels)} and ${shown(classes)}.`,
    );
  }
  const counts = Array.from({ length: classes }, () => 0);
  for (let place = 0; place < labels.length; place += 1)
    if (labels[place] !== options.ignore) counts[labels[place]!]! += 1;
  return weightsOfCounts(counts);
}

/** The class weights that give all classes the same total; 0 for a class that is not there. */
export function weightsOfCounts(counts: readonly number[]): number[] {
  const present = counts.filter((count) => count > 0).length;
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => (count === 0 ? 0 : total / (present * count)));
}
