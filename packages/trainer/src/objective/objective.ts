import * as tf from "@tensorflow/tfjs-core";
import { absoluteErrors, cosineSimilarity, huberErrors, klDivergence, squaredErrors } from "./distances.ts";
import {
  binaryCrossentropies,
  binaryCrossentropy,
  binaryFocal,
  binaryFocals,
  categoricalCrossentropy,
  categoricalFocal,
  sparseCategoricalCrossentropy,
} from "./losses.ts";
import { isOwn, type Loss } from "./loss.ts";
import type { ModelOutput } from "./model-outputs.ts";
import type { OutputTask } from "./output-tasks.ts";
import { reduceLosses } from "./reduction.ts";
import { tripletHard, tripletSemiHard } from "./triplet.ts";

/** The targets of a loss: `[n]` int32 class numbers, `[n, k]` labels, numbers or distributions, `[n, h, w]` masks. */
export type Targets = tf.Tensor;

/** The loss of one output on a batch. `[n, ...], [n, ...], [n] -> []` */
export function outputLoss(
  task: OutputTask,
  targets: Targets,
  output: ModelOutput,
  weights?: tf.Tensor | undefined,
): tf.Scalar {
  const { reduction } = task.loss;
  if (task.kind === "mask" && !isOwn(task.loss)) {
    const { losses, judged } = pixelLosses({ ...task, loss: task.loss }, targets, output);
    return reduceLosses(losses, weights, reduction, judged);
  }
  return reduceLosses(valueLosses(task, judgedTargets(task, targets), output), weights, reduction);
}

/** The targets of a task, with -1 for the pixels of masks that are not judged. `[n, ...] -> [n, ...]` */
export function judgedTargets({ ignore }: Pick<OutputTask, "ignore">, targets: Targets): Targets {
  if (ignore === undefined || ignore === -1) return targets;
  return tf.where(tf.equal(targets, tf.scalar(ignore, "int32")), tf.scalar(-1, "int32"), targets);
}

/** The loss of each pixel, 0 for pixels that are not judged, and 1 for those that are. `[n, h, w], [n, h, w, k] -> [n, pixels]` */
function pixelLosses(
  { loss, classWeights, ignore }: OutputTask & { readonly loss: Loss },
  targets: Targets,
  output: ModelOutput,
): { losses: tf.Tensor; judged: tf.Tensor | undefined } {
  const [n = 1] = targets.shape;
  const flat = {
    ...output,
    values: tf.reshape(output.values, [-1, output.values.shape.at(-1)!]) as tf.Tensor2D,
  };
  const pixels = tf.reshape(targets, [-1]);
  const isJudged = ignore === undefined ? undefined : tf.notEqual(pixels, tf.scalar(ignore, "int32"));
  const classes = isJudged === undefined ? pixels : tf.where(isJudged, pixels, tf.zerosLike(pixels));
  const each = classLosses(loss, classes, flat);
  const weighted = classWeights === undefined ? each : tf.mul(each, tf.gather(tf.tensor1d([...classWeights]), classes));
  if (isJudged === undefined) return { losses: tf.reshape(weighted, [n, -1]), judged: undefined };
  return {
    losses: tf.reshape(tf.where(isJudged, weighted, tf.zerosLike(weighted)), [n, -1]),
    judged: tf.reshape(tf.cast(isJudged, "float32"), [n, -1]),
  };
}

/** The loss of each example. `[n, ...], [n, ...] -> [n]` */
function valueLosses(task: OutputTask, targets: Targets, output: ModelOutput): tf.Tensor {
  const { kind, loss, classWeights } = task;
  if (isOwn(loss)) return perExample(loss.fn(targets, declared(output)));
  return kind === "class" ? classLosses(loss, targets, output) : vectorLosses(loss, targets, output, classWeights);
}

/** The mean over all axes but the first. */
function perExample(losses: tf.Tensor): tf.Tensor {
  return losses.rank <= 1 ? losses : tf.mean(tf.reshape(losses, [losses.shape[0]!, -1]), -1);
}

/** The loss of each example of one class. `[n] or [n, classes], [n, outputs] -> [n]` */
function classLosses(loss: Loss, targets: Targets, output: ModelOutput): tf.Tensor {
  if (loss.name === "triplet-semi-hard") return tripletSemiHard(targets, declared(output), loss);
  if (loss.name === "triplet-hard") return tripletHard(targets, declared(output), loss);
  const { values, areLogits } = output;
  const options = { ...loss, fromLogits: areLogits };
  const outputs = values.shape[1];
  if (outputs === 1) {
    const wanted = (
      targets.rank === 1 ? tf.reshape(tf.cast(targets, "float32"), [-1, 1]) : tf.slice(targets, [0, 1], [-1, 1])
    ) as tf.Tensor2D;
    if (loss.name === "focal") return binaryFocal(wanted, values, options);
    if (loss.name === "binary-crossentropy") return binaryCrossentropy(wanted, values, options);
    return vectorLosses(loss, wanted, output);
  }
  if (targets.rank === 1 && loss.name.endsWith("categorical-crossentropy"))
    return sparseCategoricalCrossentropy(targets as tf.Tensor1D, values, options);
  const wanted = (
    targets.rank === 1 ? tf.oneHot(targets as tf.Tensor1D, outputs, 1, 0, "float32") : targets
  ) as tf.Tensor2D;
  if (loss.name === "focal") return categoricalFocal(wanted, values, options);
  if (loss.name.endsWith("categorical-crossentropy")) return categoricalCrossentropy(wanted, values, options);
  return vectorLosses(loss, wanted, output);
}

/** The loss of each example of several labels or numbers; `classWeights` are the labels' factors. `[n, k], [n, k] -> [n]` */
function vectorLosses(
  loss: Loss,
  targets: Targets,
  output: ModelOutput,
  classWeights?: readonly number[] | undefined,
): tf.Tensor {
  if (loss.name === "cosine-similarity") return cosineSimilarity(targets, declared(output));
  if (loss.name === "kl-divergence") {
    const isSoftmax = output.areLogits && output.activation === "softmax";
    return klDivergence(targets, isSoftmax ? output.values : declared(output), { fromLogits: isSoftmax });
  }
  const each = elementLosses(loss, targets as tf.Tensor2D, output);
  return tf.mean(classWeights === undefined ? each : tf.mul(each, tf.tensor1d([...classWeights])), -1);
}

/** The loss of each value. `[n, k], [n, k] -> [n, k]` */
function elementLosses(loss: Loss, targets: tf.Tensor2D, output: ModelOutput): tf.Tensor {
  const options = { ...loss, fromLogits: output.areLogits };
  if (loss.name === "binary-crossentropy") return binaryCrossentropies(targets, output.values, options);
  if (loss.name === "focal") return binaryFocals(targets, output.values, options);
  if (loss.name === "mae") return absoluteErrors(targets, declared(output));
  if (loss.name === "huber") return huberErrors(targets, declared(output), loss);
  return squaredErrors(targets, declared(output));
}

/** How many examples are classified correctly. `[n] or [n, classes], [n, outputs] -> []` */
export function correctCount(targets: Targets, output: ModelOutput): tf.Scalar {
  const { values, areLogits } = output;
  const wanted = targets.rank === 1 ? targets : tf.argMax(targets, -1);
  const isSecond = () => tf.cast(tf.greater(tf.reshape(values, [-1]), areLogits ? 0 : 0.5), "int32");
  const got = values.shape[1] === 1 ? isSecond() : tf.argMax(values, -1);
  return tf.sum(tf.cast(tf.equal(got, wanted), "float32"));
}

/** The output as the model declares it: with its softmax or sigmoid. */
function declared({ values, areLogits, activation }: ModelOutput): tf.Tensor {
  if (!areLogits || activation === undefined) return values;
  return activation === "softmax" ? tf.softmax(values) : tf.sigmoid(values);
}

/** Probabilities: softmax of logits, or sigmoid if there is one output or the model says so. `[n, outputs] -> [n, outputs]` */
export function probabilities({ values, areLogits, activation }: ModelOutput): tf.Tensor2D {
  if (!areLogits) return values;
  return values.shape.at(-1) === 1 || activation === "sigmoid" ? tf.sigmoid(values) : tf.softmax(values);
}

/** What is predicted for a task: probabilities of classes and labels, numbers as they are. `[n, ...] -> [n, ...]` */
export function predictions({ kind, loss }: Pick<OutputTask, "kind" | "loss">, output: ModelOutput): tf.Tensor {
  const isEmbedding = !isOwn(loss) && loss.name.startsWith("triplet");
  if (kind === "numbers" || isEmbedding) return declared(output);
  if (kind === "labels" && output.areLogits && output.activation === undefined) return tf.sigmoid(output.values);
  return probabilities(output);
}
