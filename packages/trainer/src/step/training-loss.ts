import { preprocess, type Preprocessing } from "@convkit/core";
import type { RandomSource } from "@convkit/datasets";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { BatchAugmentation } from "./augmentation.ts";
import { type ModelOutput, modelOutputs } from "../objective/model-outputs.ts";
import { correctCount, exampleLosses, type Loss, probabilities, type Targets } from "../objective/objective.ts";

/** The parts that compute a step's loss. */
export interface StepParts {
  readonly model: LayersModel;
  readonly loss: Loss;
  readonly preprocessing: Preprocessing;
  readonly augment?: BatchAugmentation | undefined;
  /** Factor for each output's loss, 1 by default; the first output makes the predictions. */
  readonly outputWeights?: readonly number[] | undefined;
}

/** Augments and preprocesses a batch for training. `[n, h, w, c], [n] -> [n, h, w, c], targets` */
export function preparedBatch(
  { augment, preprocessing }: StepParts,
  images: tf.Tensor4D,
  labels: tf.Tensor1D,
  random?: RandomSource,
): { images: tf.Tensor4D; targets: Targets } {
  const batch = augment === undefined ? { images, targets: labels } : augment(images, labels, random);
  return { images: preprocess(batch.images, preprocessing), targets: batch.targets };
}

/**
 * The forward half of a training step: the loss to minimize and the number of correct predictions. `[n, h, w, c], [n],
 * [n] -> [], []`
 */
export function trainingLoss(
  parts: StepParts,
  images: tf.Tensor4D,
  labels: tf.Tensor1D,
  extras: { readonly weights?: tf.Tensor1D | undefined; readonly random?: RandomSource | undefined } = {},
): { loss: tf.Scalar; correct: tf.Scalar } {
  const { model, loss, outputWeights = [] } = parts;
  const { weights, random } = extras;
  const batch = preparedBatch(parts, images, labels, random);
  const outputs = modelOutputs(model, batch.images, { training: true });
  const losses = outputs.map((output, index) => {
    const each = exampleLosses(loss, batch.targets, output);
    const mean = tf.mean(weights === undefined ? each : tf.mul(each, weights)) as tf.Scalar;
    const share = outputWeights[index] ?? 1;
    return share === 1 ? mean : (tf.mul(mean, share) as tf.Scalar);
  });
  // The losses of the layers' regularizers.
  const total = [...losses, ...model.calculateLosses()].reduce((sum, each) => tf.add(sum, each) as tf.Scalar);
  return { loss: total, correct: correctCount(batch.targets, outputs[0]!) };
}

/** The loss and the number of correct predictions in validation. `[n, h, w, c], [n] -> [], []` */
export function testLoss(
  parts: StepParts,
  images: tf.Tensor4D,
  labels: tf.Tensor1D,
): { loss: tf.Scalar; correct: tf.Scalar } {
  const output = modelOutputs(parts.model, preprocess(images, parts.preprocessing))[0]!;
  return { loss: tf.mean(exampleLosses(parts.loss, labels, output)), correct: correctCount(labels, output) };
}

/**
 * The loss and the probabilities; with `mirror`, the probabilities are the means over each image and its mirror image.
 * `[n, h, w, c], [n] -> [], [n, outputs]`
 */
export function predictionLoss(
  parts: StepParts,
  images: tf.Tensor4D,
  labels: tf.Tensor1D,
  { mirror = false }: { readonly mirror?: boolean } = {},
): { loss: tf.Scalar; probabilities: tf.Tensor2D } {
  const pixels = preprocess(images, parts.preprocessing);
  const own = modelOutputs(parts.model, pixels)[0]!;
  const output = mirror ? meanOutput(own, modelOutputs(parts.model, tf.reverse(pixels, 2))[0]!) : own;
  return { loss: tf.mean(exampleLosses(parts.loss, labels, output)), probabilities: probabilities(output) };
}

/** The mean of the probabilities of two outputs. */
function meanOutput(a: ModelOutput, b: ModelOutput): ModelOutput {
  return { values: tf.div(tf.add(probabilities(a), probabilities(b)), 2), areLogits: false };
}
