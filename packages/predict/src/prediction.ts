import { modelMetadata } from "@convkit/core/plain";
import {
  checkOptions,
  checkValue,
  checkValues,
  OptionError,
  shown,
  trueOrFalse,
  type OptionNames,
  wholeFromOne,
} from "@convkit/errors";
import type { Values } from "@convkit/graph";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { imagenetClasses } from "./imagenet-classes.ts";
import { topClasses } from "./top-classes.ts";

/** A class of an image and its probability. */
export interface Prediction {
  /** The number of the class: its place in the model's outputs. */
  readonly index: number;
  /** The name of the class; its number where the model has no names. */
  readonly label: string;
  /** From 0 to 1. */
  readonly probability: number;
  /** The probability to read: `"93.42 %"`. */
  readonly percent: string;
}

/** Options of `decodePredictions`. */
export interface PredictionOptions {
  /** How many classes to give for each image, the most likely first; 5 by default. */
  readonly top?: number | undefined;
  /** Names of the classes, in the order of the outputs; by default ImageNet's for 1,000 outputs, as in Keras, else numbers. */
  readonly classes?: readonly string[] | undefined;
  /** Whether the scores are logits, which get a softmax, or a sigmoid where there is one; by default those outside 0 to 1 are. */
  readonly logits?: boolean | undefined;
}

const optionNames: OptionNames<PredictionOptions> = { top: true, classes: true, logits: true };

/**
 * The most likely classes of each image: `[n, classes]` scores to `n` lists. Keras' `decode_predictions`. A single output is the
 * probability of the second of two classes. Without `logits`, an image with a score outside 0 to 1 has logits.
 *
 * Throws an `OptionError` for scores of another shape, and for unknown options.
 */
export function decodePredictions(scores: Values, options: PredictionOptions = {}): Prediction[][] {
  checkOptions("decodePredictions", options, optionNames);
  const { top = 5, classes, logits } = options;
  checkTop("decodePredictions", top);
  checkValues("decodePredictions", { logits }, { logits: trueOrFalse });
  const { data = new Float32Array(), shape = [] } = scores ?? {};
  const [count = 0, width = 0] = shape;
  if (shape.length !== 2 || width < 1 || data.length !== count * width) {
    throw new OptionError(`decodePredictions: expected scores of the shape [images, classes], got ${shown(shape)}.`);
  }
  const names = classes ?? (width === imagenetClasses.length ? imagenetClasses : []);
  return Array.from({ length: count }, (_, row) => {
    // Each image by itself, so that its answer does not depend on the others of its batch.
    const own = data.subarray(row * width, (row + 1) * width);
    return ranked(own, logits ?? own.some((score) => score < -1e-3 || score > 1 + 1e-3), names, top);
  });
}

/** Throws an `OptionError` unless `top` is a whole number from 1. */
export function checkTop(where: string, top: unknown): void {
  checkValue(where, "top", top, wholeFromOne);
}

/**
 * The names of a model's classes: those that it carries, else ImageNet's for a published network with 1,000 outputs, since a
 * network that was trained on other data carries their names. Undefined if they are not known.
 */
export function classNames(model: LayersModel): readonly string[] | undefined {
  const { classes, source } = modelMetadata(model);
  if (classes !== undefined) return classes;
  const isPublished = source !== undefined && source !== "notebook";
  return isPublished && model.outputs[0]?.shape.at(-1) === imagenetClasses.length ? imagenetClasses : undefined;
}

function ranked(scores: Float32Array, areLogits: boolean, names: readonly string[], top: number): Prediction[] {
  const probabilities = probabilitiesOf(scores, areLogits);
  return topClasses(probabilities, Math.min(top, probabilities.length)).map((index) => {
    const probability = probabilities[index]!;
    return { index, label: names[index] ?? String(index), probability, percent: `${(100 * probability).toFixed(2)} %` };
  });
}

function probabilitiesOf(scores: Float32Array, areLogits: boolean): Float32Array {
  if (scores.length === 1) {
    const second = areLogits ? 1 / (1 + Math.exp(-scores[0]!)) : scores[0]!;
    return Float32Array.of(1 - second, second);
  }
  if (!areLogits) return scores;
  const largest = scores.reduce((a, b) => Math.max(a, b));
  const powers = Float64Array.from(scores, (score) => Math.exp(score - largest));
  const sum = powers.reduce((a, b) => a + b);
  return Float32Array.from(powers, (power) => power / sum);
}
