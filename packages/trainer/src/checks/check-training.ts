import { modelMetadata, preprocess, type Preprocessing, setModelMetadata } from "@convkit/core";
import type { Batch, Dataset } from "@convkit/datasets";
import { checkOptions, checkValues, type OptionNames, wholeFromOne } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { train } from "../loop/train.ts";
import type { TrainingCheck } from "./training-check.ts";
import { balanceFindings, inputFindings, learningFindings, startFindings } from "./training-findings.ts";
import { evaluate } from "../step/evaluate.ts";
import { evaluateTasks } from "../step/evaluate-tasks.ts";
import { batchClasses, datasetOf } from "./one-batch.ts";
import { referenceLosses } from "./reference-losses.ts";
import type { OptimizerConfig, OptimizerName } from "../optimization/optimizer-config.ts";
import { classTarget, hasAccuracy, type OutputTask, outputTasks, targetsOf } from "../objective/output-tasks.ts";
import type { TrainOptions } from "../loop/train-options.ts";
import { TrainerError } from "../trainer-error.ts";

/** Options of `checkTraining`; losses and their weights are those of `train`. */
export interface CheckTrainingOptions extends Pick<
  TrainOptions,
  "loss" | "lossWeights" | "outputWeights" | "classWeights"
> {
  /** Images of the one batch; 32 by default. */
  readonly batch?: number | undefined;
  /** Steps that the batch is learned for; 100 by default. */
  readonly steps?: number | undefined;
  /** Adam with its learning rate 0.001 by default. */
  readonly optimizer?: OptimizerName | OptimizerConfig | undefined;
  /** Converts pixels to the model's input. By default as the model's metadata says, else unchanged pixels. */
  readonly preprocessing?: Preprocessing | undefined;
  /** Seed of the batch and of the training; 0 by default. */
  readonly seed?: number | undefined;
  /** Ends the check with the signal's reason; none by default. */
  readonly signal?: AbortSignal | undefined;
}

const optionNames: OptionNames<CheckTrainingOptions> = {
  batch: true,
  steps: true,
  optimizer: true,
  loss: true,
  lossWeights: true,
  outputWeights: true,
  classWeights: true,
  preprocessing: true,
  seed: true,
  signal: true,
};

/**
 * Looks before a long training whether it can work, as in Karpathy's recipe (2019,
 * https://karpathy.github.io/2019/04/25/recipe): the input as the network sees it, the loss at the start against that of
 * equal chances (of the batch's mean, for numbers), and whether the network can learn one batch by heart. Losses are told without class weights. The model keeps its weights and its metadata.
 *
 * Throws a `TrainerError` for options out of their range and for data that does not fit the model.
 */
export async function checkTraining(
  model: LayersModel,
  data: Dataset,
  options: CheckTrainingOptions = {},
): Promise<TrainingCheck> {
  checkOptions("checkTraining", options, optionNames, (message) => new TrainerError(message));
  const { batch = 32, steps = 100, optimizer = { name: "adam" }, seed = 0, signal } = options;
  const rules = { batch: wholeFromOne, steps: wholeFromOne };
  checkValues("checkTraining", { batch, steps }, rules, (message) => new TrainerError(message));
  const preprocessing = options.preprocessing ?? modelMetadata(model).preprocessing ?? {};
  const images = await firstBatch(data, batch, seed);
  const one = datasetOf(data, images);
  const how = { preprocessing, signal, batch };
  const { loss, lossWeights, outputWeights, classWeights } = options;
  const all = outputTasks(model, one, { loss, lossWeights: lossWeights ?? outputWeights });
  const tasks = all.filter(({ index, target }) => index === 0 || target !== all[0]!.target);
  const judge = async (): Promise<{ readonly loss: number; readonly accuracy?: number | undefined }> => {
    const isClassified = data.targets === undefined && hasAccuracy(tasks[0]!);
    if (isClassified && data.inputs === undefined) return evaluate(model, one, { ...how, loss: tasks[0]!.loss });
    const judged = await evaluateTasks(model, isClassified ? one : withTargets(data, images), {
      ...how,
      loss,
      lossWeights: weightsByName(tasks),
    });
    return { loss: judged.loss, accuracy: judged.metrics["accuracy"] };
  };
  const metadata = modelMetadata(model);
  const before = model.getWeights().map((weight) => tf.clone(weight));
  try {
    const start = await judge();
    await train({
      model,
      data: one,
      epochs: steps,
      batch,
      optimizer,
      loss,
      lossWeights,
      outputWeights,
      classWeights,
      preprocessing,
      seed,
      signal,
      progress: false,
      restoreBest: false,
    });
    signal?.throwIfAborted();
    const end = await judge();
    const still = await unchanged(model, before);
    const parts = {
      input: await inputOf(images, preprocessing),
      classes: batchClasses(one, images),
      start: { loss: start.loss, ...(await referenceLosses(model, one, tasks)) },
      learned: { steps, loss: end.loss, ...(end.accuracy !== undefined && { accuracy: end.accuracy }) },
      still,
    };
    const kinds = Object.values(targetsOf(data)).map(({ kind }) => kind);
    const findings = [
      inputFindings(model, parts),
      balanceFindings(parts, kinds),
      startFindings(parts, kinds),
      learningFindings(parts),
    ];
    return { ...parts, findings: findings.flat() };
  } finally {
    model.setWeights(before);
    tf.dispose(before);
    // A training writes the data's classes and the preprocessing into the metadata.
    const written = Object.keys(modelMetadata(model)).map((name) => [name, undefined] as const);
    setModelMetadata(model, { ...Object.fromEntries(written), ...metadata });
  }
}

/** The batch with its classes as a target, which other outputs than those of classes may have. */
function withTargets(data: Dataset, { labels, targets = { [classTarget]: labels }, ...batch }: Batch): Dataset {
  return datasetOf({ ...data, targets: targetsOf(data) }, { ...batch, labels, targets });
}

function weightsByName(tasks: readonly OutputTask[]): Record<string, number> {
  return Object.fromEntries(tasks.map(({ output, weight }) => [output, weight]));
}

/** Some images in the order of a training, copied. */
async function firstBatch(data: Dataset, batch: number, seed: number): Promise<Batch> {
  for await (const each of data.batches({ batch, shuffle: true, seed })) {
    const copy = { ...each, images: each.images.slice(), labels: each.labels.slice() };
    each.release?.();
    return copy;
  }
  throw new TrainerError(`checkTraining: expected at least one image, ${data.name} has none that can be read.`);
}

async function inputOf({ images, shape }: Batch, preprocessing: Preprocessing): Promise<TrainingCheck["input"]> {
  const [least, most, mean, variance] = tf.tidy(() => {
    const seen = preprocess(tf.tensor4d(images, shape), preprocessing);
    const moments = tf.moments(seen);
    return [tf.min(seen), tf.max(seen), moments.mean, moments.variance];
  }) as tf.Tensor[];
  const numbers = await Promise.all([least, most, mean, variance].map(async (value) => (await value!.data())[0]!));
  tf.dispose([least!, most!, mean!, variance!]);
  const [low, high, middle, square] = numbers as [number, number, number, number];
  return { shape: [...shape], least: low, most: high, mean: middle, deviation: Math.sqrt(square) };
}

/** Names of the trainable weights with the values from before. */
async function unchanged(model: LayersModel, before: readonly tf.Tensor[]): Promise<string[]> {
  const trainable = new Set(model.trainableWeights.map(({ id }) => id));
  const names: string[] = [];
  for (const [index, weight] of model.weights.entries()) {
    if (!trainable.has(weight.id)) continue;
    const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(weight.read(), before[index]!))));
    if ((await difference.data())[0] === 0) names.push(weight.originalName);
    difference.dispose();
  }
  return names;
}
