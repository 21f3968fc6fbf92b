import { preprocess, type Preprocessing } from "@convkit/core";
import type { RandomSource } from "@convkit/datasets";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { Augmentation } from "./augmentation.ts";
import { applyLogits } from "../objective/logits.ts";
import { correctCount, exampleLosses, type Loss, probabilities, type Targets } from "../objective/objective.ts";

/** What a step is made of. */
export interface StepParts {
  readonly model: LayersModel;
  readonly loss: Loss;
  readonly preprocessing: Preprocessing;
  readonly augment?: Augmentation;
  /** What each output's loss counts; the first output is the one that predicts. */
  readonly outputWeights?: readonly number[];
}

/** A batch as the model sees it while training: augmented and preprocessed. `[n, h, w, c], [n] -> [n, h, w, c], targets` */
export function preparedBatch(
  { augment, preprocessing }: StepParts,
  images: tf.Tensor4D,
  labels: tf.Tensor1D,
  random?: RandomSource,
): { images: tf.Tensor4D; targets: Targets } {
  const batch = augment === undefined ? { images, targets: labels } : augment(images, labels, random);
  return { images: preprocess(batch.images, preprocessing), targets: batch.targets };
}

/** The forward half of a training step: `[n, h, w, c], [n], [n] -> [], []`, the loss to be minimised and the count of right answers. */
export function trainingLoss(
  parts: StepParts,
  images: tf.Tensor4D,
  labels: tf.Tensor1D,
  extras: { readonly weights?: tf.Tensor1D | undefined; readonly random?: RandomSource | undefined } = {},
): { loss: tf.Scalar; correct: tf.Scalar } {
  const { model, loss, outputWeights = [] } = parts;
  const { weights, random } = extras;
  const batch = preparedBatch(parts, images, labels, random);
  const outputs = applyLogits(model, batch.images, { training: true });
  const losses = outputs.map((logits, index) => {
    const each = exampleLosses(loss, batch.targets, logits);
    const mean = tf.mean(weights === undefined ? each : tf.mul(each, weights)) as tf.Scalar;
    const share = outputWeights[index] ?? 1;
    return share === 1 ? mean : (tf.mul(mean, share) as tf.Scalar);
  });
  // tfjs-layers gathers what its regularisers cost as functions of the weights.
  const total = [...losses, ...model.calculateLosses()].reduce((sum, each) => tf.add(sum, each) as tf.Scalar);
  return { loss: total, correct: correctCount(batch.targets, outputs[0]!) };
}

/** The loss and the count of right answers without training: `[n, h, w, c], [n] -> [], []`. */
export function testLoss(
  parts: StepParts,
  images: tf.Tensor4D,
  labels: tf.Tensor1D,
): { loss: tf.Scalar; correct: tf.Scalar } {
  const logits = applyLogits(parts.model, preprocess(images, parts.preprocessing))[0]!;
  return { loss: tf.mean(exampleLosses(parts.loss, labels, logits)), correct: correctCount(labels, logits) };
}

/**
 * The loss and the probabilities: `[n, h, w, c], [n] -> [], [n, outputs]`; with `mirror` of the mean of the probabilities of
 * each image and of its mirror image.
 */
export function predictionLoss(
  parts: StepParts,
  images: tf.Tensor4D,
  labels: tf.Tensor1D,
  { mirror = false }: { readonly mirror?: boolean } = {},
): { loss: tf.Scalar; probabilities: tf.Tensor2D } {
  const pixels = preprocess(images, parts.preprocessing);
  const own = applyLogits(parts.model, pixels)[0]!;
  const logits = mirror ? meanLogits(own, applyLogits(parts.model, tf.reverse(pixels, 2))[0]!) : own;
  return { loss: tf.mean(exampleLosses(parts.loss, labels, logits)), probabilities: probabilities(logits) };
}

/** Logits of the mean of two tables of probabilities. */
function meanLogits(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor2D {
  const mean = tf.clipByValue(tf.div(tf.add(probabilities(a), probabilities(b)), 2), 1e-7, 1 - 1e-7);
  return (a.shape[1] === 1 ? tf.sub(tf.log(mean), tf.log(tf.sub(1, mean))) : tf.log(mean)) as tf.Tensor2D;
}
