import { modelMetadata, type Preprocessing } from "@convkit/core";
import { aboveZero, checkOptions, type OptionNames, shown, type ValueRule, zeroToOne } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { dequal } from "dequal";
import { throwProblems, valueProblems } from "../checks/fields.ts";
import { TrainerError } from "../trainer-error.ts";
import { type ModelOutput, outputsAndMaps } from "./model-outputs.ts";

/** A teacher whose predictions are targets, too (Hinton et al. 2015, https://arxiv.org/abs/1503.02531). */
export interface Distillation {
  /** A trained classifier of the same classes, input and preprocessing; it keeps its weights. */
  readonly teacher: LayersModel;
  /** What the logits of both are divided by; 4 by default. */
  readonly temperature?: number | undefined;
  /** The teacher's share of the loss, from 0 to 1; 0.5 by default. */
  readonly share?: number | undefined;
  /**
   * Names of layers of the model and of the teacher whose maps of one height and width are to attend to the same places: attention
   * transfer (Zagoruyko and Komodakis 2016, https://arxiv.org/abs/1612.03928). None by default.
   */
  readonly features?: readonly (readonly [student: string, teacher: string])[] | undefined;
  /** Factor of the features' loss beside the others; 1000 by default, as in the paper's experiments. */
  readonly featureWeight?: number | undefined;
}

const names: OptionNames<Distillation> = {
  teacher: true,
  temperature: true,
  share: true,
  features: true,
  featureWeight: true,
};

const pairs: ValueRule = [
  "a list of pairs of names, of a layer of the model and of one of the teacher",
  (value) =>
    Array.isArray(value) &&
    value.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every((each) => typeof each === "string")),
];

/** The fields of a distillation besides its teacher, for plans and options. */
export const distillationFields = {
  temperature: aboveZero,
  share: zeroToOne,
  features: pairs,
  featureWeight: aboveZero,
};

/** Refuses a teacher that does not fit the model, or not the classes of the data; throws `TrainerError`. */
export function checkDistillation(
  distill: Distillation,
  model: LayersModel,
  { preprocessing, known }: { readonly preprocessing: Preprocessing; readonly known: readonly string[] | undefined },
): void {
  checkOptions("distill", distill, names, (message) => new TrainerError(message));
  const { teacher, temperature = 4, share = 0.5, features = [], featureWeight = 1000 } = distill;
  if (!Array.isArray((teacher as Partial<LayersModel> | undefined)?.outputs))
    throw new TrainerError(`distill: expected a model as the teacher, got ${shown(teacher)}.`);
  throwProblems([
    ...valueProblems("distill.temperature", temperature, distillationFields.temperature),
    ...valueProblems("distill.share", share, distillationFields.share),
    ...valueProblems("distill.features", features, distillationFields.features),
    ...valueProblems("distill.featureWeight", featureWeight, distillationFields.featureWeight),
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
  for (const [own, theirs] of features) checkFeatures([model, own], [teacher, theirs]);
}

type LayerName = readonly [model: LayersModel, layer: string];

/** Refuses layers that are not there, and maps of different heights and widths. */
function checkFeatures(student: LayerName, teacher: LayerName): void {
  const [own, theirs] = [student, teacher].map(([model, name]) => {
    const layer = model.layers.find((each) => each.name === name);
    if (layer === undefined)
      throw new TrainerError(
        `distill.features: ${model.name} has no layer ${name}; its layers are ${model.layers.map((each) => each.name).join(", ")}.`,
      );
    return layer.outputShape as (number | null)[];
  }) as [(number | null)[], (number | null)[]];
  if (own.length === 4 && theirs.length === 4 && own[1] === theirs[1] && own[2] === theirs[2]) return;
  throw new TrainerError(
    `distill.features: expected maps of one height and width, got ${shown(own)} of ${student[1]} and ${shown(theirs)} of the teacher's ${teacher[1]}.`,
  );
}

/**
 * The loss with the teacher's share: the divergence of the student's softened classes from the teacher's, times the square of the
 * temperature, so that gradients have the size of those of the labels; and the loss of the features, the student's `maps`.
 * `[], [n, h, w, c], [n, classes] -> []`
 */
export function distilledLoss(
  loss: tf.Scalar,
  images: tf.Tensor[],
  student: { readonly output: ModelOutput; readonly maps: readonly tf.Tensor[] },
  { teacher, temperature = 4, share = 0.5, features = [], featureWeight = 1000 }: Distillation,
): tf.Scalar {
  const soft = (made: ModelOutput) => tf.logSoftmax(tf.div(logitsOf(made), temperature));
  const { outputs, maps } = outputsAndMaps(
    teacher,
    images,
    features.map(([, theirs]) => theirs),
  );
  const wanted = soft(outputs[0]!);
  const divergence = tf.mean(tf.sum(tf.mul(tf.exp(wanted), tf.sub(wanted, soft(student.output))), -1));
  const distances = student.maps.map((map, place) => attentionDistance(map, maps[place]!));
  const ofClasses = tf.add(tf.mul(loss, 1 - share), tf.mul(divergence, share * temperature ** 2));
  return distances.reduce((sum, each) => tf.add(sum, tf.mul(each, featureWeight)), ofClasses) as tf.Scalar;
}

/** The mean square of the difference of two attention maps, as in the paper's code (`utils.at_loss`). `[n, h, w, a], [n, h, w, b] -> []` */
function attentionDistance(own: tf.Tensor, theirs: tf.Tensor): tf.Tensor {
  return tf.mean(tf.squaredDifference(attentionMap(own), attentionMap(theirs)));
}

/** The mean square over the channels at each place, divided by the norm over the places. `[n, h, w, c] -> [n, h * w]` */
function attentionMap(map: tf.Tensor): tf.Tensor {
  const places = tf.reshape(tf.mean(tf.square(map), -1), [-1, map.shape[1]! * map.shape[2]!]);
  // A map of zeros alone has the norm 0 and no direction.
  return tf.mul(places, tf.rsqrt(tf.maximum(tf.sum(tf.square(places), -1, true), 1e-12)));
}

/** Logits; of probabilities their logarithms, which differ from logits by a constant for each image. */
function logitsOf({ values, areLogits }: ModelOutput): tf.Tensor {
  return areLogits ? values : tf.log(tf.clipByValue(values, 1e-7, 1));
}
