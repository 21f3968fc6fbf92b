import { modelMetadata, type Preprocessing } from "@convkit/core";
import { checkOptions, type OptionNames, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { dequal } from "dequal";
import { aboveZero, throwProblems, valueProblems, zeroToOne } from "../checks/fields.ts";
import { TrainerError } from "../trainer-error.ts";
import { type ModelOutput, modelOutputs } from "./model-outputs.ts";

/** A teacher whose predictions are targets, too (Hinton et al. 2015, https://arxiv.org/abs/1503.02531). */
export interface Distillation {
  /** A trained classifier of the same classes, input and preprocessing; it keeps its weights. */
  readonly teacher: LayersModel;
  /** What the logits of both are divided by; 4 by default. */
  readonly temperature?: number | undefined;
  /** The teacher's share of the loss, from 0 to 1; 0.5 by default. */
  readonly share?: number | undefined;
}

const names: OptionNames<Distillation> = { teacher: true, temperature: true, share: true };

/** The numbers of a distillation, for plans and options. */
export const distillationFields = { temperature: aboveZero, share: zeroToOne };

/** Refuses a teacher that does not fit the model, or not the classes of the data; throws `TrainerError`. */
export function checkDistillation(
  distill: Distillation,
  model: LayersModel,
  { preprocessing, known }: { readonly preprocessing: Preprocessing; readonly known: readonly string[] | undefined },
): void {
  checkOptions("distill", distill, names, (message) => new TrainerError(message));
  const { teacher, temperature = 4, share = 0.5 } = distill;
  if (!Array.isArray((teacher as Partial<LayersModel> | undefined)?.outputs))
    throw new TrainerError(`distill: expected a model as the teacher, got ${shown(teacher)}.`);
  throwProblems([
    ...valueProblems("distill.temperature", temperature, distillationFields.temperature),
    ...valueProblems("distill.share", share, distillationFields.share),
  ]);
  const [own, other] = [model, teacher].map(({ inputs, outputs }) => [inputs[0]!.shape, outputs[0]!.shape.at(-1)]);
  if (!dequal(own, other) || (own![1] as number) < 2)
    throw new TrainerError(
      `distill: expected a teacher of the same input and classes as ${model.name}, ${shown(own)}, got ${shown(other)}.`,
    );
  const { preprocessing: theirs = {}, classes } = modelMetadata(teacher);
  if (!dequal({ ...theirs }, { ...preprocessing }))
    throw new TrainerError(
      `distill: expected the teacher to take images as ${model.name} does, ${shown(preprocessing)}, got ${shown(theirs)}.`,
    );
  if (classes !== undefined && known !== undefined && !dequal([...classes], [...known]))
    throw new TrainerError(`distill: expected a teacher of the classes ${shown(known)}, got ${shown(classes)}.`);
}

/**
 * The loss with the teacher's share: the divergence of the student's softened classes from the teacher's, times the square of the
 * temperature, so that gradients have the size of those of the labels. `[], [n, h, w, c], [n, classes] -> []`
 */
export function distilledLoss(
  loss: tf.Scalar,
  images: tf.Tensor[],
  output: ModelOutput,
  { teacher, temperature = 4, share = 0.5 }: Distillation,
): tf.Scalar {
  const soft = (made: ModelOutput) => tf.logSoftmax(tf.div(logitsOf(made), temperature));
  const wanted = soft(modelOutputs(teacher, images)[0]!);
  const got = soft(output);
  const divergence = tf.mean(tf.sum(tf.mul(tf.exp(wanted), tf.sub(wanted, got)), -1));
  return tf.add(tf.mul(loss, 1 - share), tf.mul(divergence, share * temperature ** 2)) as tf.Scalar;
}

/** Logits; of probabilities their logarithms, which differ from logits by a constant for each image. */
function logitsOf({ values, areLogits }: ModelOutput): tf.Tensor {
  return areLogits ? values : tf.log(tf.clipByValue(values, 1e-7, 1));
}
