import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import {
  binaryCrossentropy,
  binaryFocal,
  categoricalCrossentropy,
  categoricalFocal,
  type FocalOptions,
  sparseCategoricalCrossentropy,
} from "./losses.ts";
import { TrainerError } from "../trainer-error.ts";

export const lossNames = [
  "sparse-categorical-crossentropy",
  "categorical-crossentropy",
  "binary-crossentropy",
  "focal",
] as const;

export type LossName = (typeof lossNames)[number];

/** A loss as plain data. */
export interface Loss extends Omit<FocalOptions, "fromLogits"> {
  readonly name: LossName;
}

/** The loss of a classifier: cross-entropy of its classes, or of yes and no where it has one output. */
export function defaultLoss(model: LayersModel): Loss {
  return { name: model.outputs[0]!.shape.at(-1) === 1 ? "binary-crossentropy" : "sparse-categorical-crossentropy" };
}

/** What the step compares with: class numbers `[n]` int32, or class distributions `[n, classes]` as mixup makes them. */
export type Targets = tf.Tensor1D | tf.Tensor2D;

/** The loss of each example from logits. `[n] or [n, classes], [n, outputs] -> [n]` */
export function exampleLosses(loss: Loss, targets: Targets, logits: tf.Tensor2D): tf.Tensor1D {
  const options = { ...loss, fromLogits: true };
  const outputs = logits.shape[1];
  if (outputs === 1) {
    if (loss.name !== "binary-crossentropy" && loss.name !== "focal")
      throw new TrainerError(
        `The model has one output, so its loss must be binary-crossentropy or focal, not ${loss.name}.`,
      );
    const wanted =
      targets.rank === 1 ? tf.reshape(tf.cast(targets, "float32"), [-1, 1]) : tf.slice(targets, [0, 1], [-1, 1]);
    return loss.name === "focal"
      ? binaryFocal(wanted as tf.Tensor2D, logits, options)
      : binaryCrossentropy(wanted as tf.Tensor2D, logits, options);
  }
  if (targets.rank === 1 && loss.name.endsWith("categorical-crossentropy"))
    return sparseCategoricalCrossentropy(targets as tf.Tensor1D, logits, options);
  const wanted = (
    targets.rank === 1 ? tf.oneHot(targets as tf.Tensor1D, outputs, 1, 0, "float32") : targets
  ) as tf.Tensor2D;
  if (loss.name === "focal") return categoricalFocal(wanted, logits, options);
  if (loss.name === "binary-crossentropy") return binaryCrossentropy(wanted, logits, options);
  return categoricalCrossentropy(wanted, logits, options);
}

/** How many examples the logits classify right. `[n] or [n, classes], [n, outputs] -> []` */
export function correctCount(targets: Targets, logits: tf.Tensor2D): tf.Scalar {
  const wanted = targets.rank === 1 ? targets : tf.argMax(targets, -1);
  const got = logits.shape[1] === 1 ? tf.cast(tf.greater(tf.reshape(logits, [-1]), 0), "int32") : tf.argMax(logits, -1);
  return tf.sum(tf.cast(tf.equal(got, wanted), "float32"));
}

/** Probabilities from logits: softmax, or sigmoid where there is one output. `[n, outputs] -> [n, outputs]` */
export function probabilities(logits: tf.Tensor2D): tf.Tensor2D {
  return logits.shape[1] === 1 ? tf.sigmoid(logits) : tf.softmax(logits);
}
