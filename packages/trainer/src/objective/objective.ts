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
import type { ModelOutput } from "./model-outputs.ts";
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

/** The usual loss of a classifier: cross-entropy of its classes, or binary cross-entropy for one output. */
export function defaultLoss(model: LayersModel): Loss {
  return { name: model.outputs[0]!.shape.at(-1) === 1 ? "binary-crossentropy" : "sparse-categorical-crossentropy" };
}

/** The targets of a loss: class numbers `[n]` int32, or class distributions `[n, classes]` from mixup. */
export type Targets = tf.Tensor1D | tf.Tensor2D;

/** The loss of each example. `[n] or [n, classes], [n, outputs] -> [n]` */
export function exampleLosses(loss: Loss, targets: Targets, { values, areLogits }: ModelOutput): tf.Tensor1D {
  const options = { ...loss, fromLogits: areLogits };
  const outputs = values.shape[1];
  if (outputs === 1) {
    if (loss.name !== "binary-crossentropy" && loss.name !== "focal")
      throw new TrainerError(
        `The model has one output, so its loss must be binary-crossentropy or focal, not ${loss.name}.`,
      );
    const wanted =
      targets.rank === 1 ? tf.reshape(tf.cast(targets, "float32"), [-1, 1]) : tf.slice(targets, [0, 1], [-1, 1]);
    return loss.name === "focal"
      ? binaryFocal(wanted as tf.Tensor2D, values, options)
      : binaryCrossentropy(wanted as tf.Tensor2D, values, options);
  }
  if (targets.rank === 1 && loss.name.endsWith("categorical-crossentropy"))
    return sparseCategoricalCrossentropy(targets as tf.Tensor1D, values, options);
  const wanted = (
    targets.rank === 1 ? tf.oneHot(targets as tf.Tensor1D, outputs, 1, 0, "float32") : targets
  ) as tf.Tensor2D;
  if (loss.name === "focal") return categoricalFocal(wanted, values, options);
  if (loss.name === "binary-crossentropy") return binaryCrossentropy(wanted, values, options);
  return categoricalCrossentropy(wanted, values, options);
}

/** How many examples are classified correctly. `[n] or [n, classes], [n, outputs] -> []` */
export function correctCount(targets: Targets, { values, areLogits }: ModelOutput): tf.Scalar {
  const wanted = targets.rank === 1 ? targets : tf.argMax(targets, -1);
  const isSecond = () => tf.cast(tf.greater(tf.reshape(values, [-1]), areLogits ? 0 : 0.5), "int32");
  const got = values.shape[1] === 1 ? isSecond() : tf.argMax(values, -1);
  return tf.sum(tf.cast(tf.equal(got, wanted), "float32"));
}

/** Probabilities: softmax of logits, or sigmoid if there is one output. `[n, outputs] -> [n, outputs]` */
export function probabilities({ values, areLogits }: ModelOutput): tf.Tensor2D {
  if (!areLogits) return values;
  return values.shape[1] === 1 ? tf.sigmoid(values) : tf.softmax(values);
}
