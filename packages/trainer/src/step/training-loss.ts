import { preprocess, type Preprocessing } from "@convkit/core";
import type { RandomSource } from "@convkit/datasets";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { MetricSet } from "../metrics/metric-set.ts";
import type { StepAugmentation } from "./augmentation.ts";
import type { BatchLayout, BatchTensors } from "./batch-layout.ts";
import { jensenShannon, viewsOf } from "../objective/jensen-shannon.ts";
import { distilledLoss, type Distillation } from "../objective/distillation.ts";
import { type ModelOutput, modelOutputs, outputsAndMaps } from "../objective/model-outputs.ts";
import { correctCount, judgedTargets, outputLoss, predictions, probabilities } from "../objective/objective.ts";
import { hasAccuracy, type OutputTask } from "../objective/output-tasks.ts";

/** The parts that compute a step's loss. */
export interface StepParts {
  readonly model: LayersModel;
  /** What each output learns; the first output makes the predictions. */
  readonly tasks: readonly OutputTask[];
  readonly layout: BatchLayout;
  readonly metrics: MetricSet;
  readonly preprocessing: Preprocessing;
  readonly augment?: StepAugmentation | undefined;
  readonly distill?: Distillation | undefined;
  /** Factor of the Jensen-Shannon divergence of three views of each image, which `augment` makes. */
  readonly jsd?: number | undefined;
}

/** Augments and preprocesses a batch for training. */
export function preparedBatch(
  { augment, preprocessing }: Pick<StepParts, "augment" | "preprocessing">,
  { images, targets }: Pick<BatchTensors, "images" | "targets">,
  random?: RandomSource,
): Pick<BatchTensors, "images" | "targets"> {
  if (augment === undefined) return { images: preprocess(images, preprocessing), targets };
  const names = Object.keys(targets);
  const name = augment.target ?? names[0]!;
  const changed = augment.change(images, targets[name]!, random);
  const isChanged = augment.target !== undefined || names.length === 1;
  return {
    images: preprocess(changed.images, preprocessing),
    targets: isChanged ? { ...targets, [name]: changed.targets } : targets,
  };
}

/** What a step computes: the loss to minimize, the number of right classes if there are classes, and what the metrics need. */
export interface StepValues {
  readonly loss: tf.Scalar;
  /** The number of right classes; 0 if the first output tells no classes. */
  readonly correct: tf.Scalar;
  readonly statistics: readonly tf.Tensor[];
}

/** The forward half of a training step. */
export function trainingLoss(parts: StepParts, batch: BatchTensors, random?: RandomSource): StepValues {
  const prepared = { ...batch, ...preparedBatch(parts, batch, random) };
  const inputs = [prepared.images, ...prepared.inputs];
  const observed = (parts.distill?.features ?? []).map(([own]) => own);
  const { outputs: made, maps } = outputsAndMaps(parts.model, inputs, observed, { training: true });
  const views = parts.jsd === undefined ? undefined : made.map((output) => viewsOf(output, 3));
  const outputs = views?.map(([clean]) => clean!) ?? made;
  const losses = parts.tasks.map((task) => {
    const { index, target, weight } = task;
    const loss = outputLoss(task, prepared.targets[target]!, outputs[index]!, prepared.weights?.[index]);
    return weight === 1 ? loss : (tf.mul(loss, weight) as tf.Scalar);
  });
  if (parts.distill !== undefined)
    losses[0] = distilledLoss(losses[0]!, inputs, { output: outputs[0]!, maps }, parts.distill);
  if (views !== undefined) losses.push(tf.mul(jensenShannon(views[0]!), parts.jsd!) as tf.Scalar);
  // The losses of the layers' regularizers.
  const total = [...losses, ...parts.model.calculateLosses()].reduce((sum, each) => tf.add(sum, each) as tf.Scalar);
  return { loss: total, ...measured(parts, prepared.targets, outputs) };
}

/** What validation computes. The loss is that of the first output, or the sum over the outputs if they have targets of their own. */
export function testLoss(parts: StepParts, batch: BatchTensors): StepValues {
  const images = preprocess(batch.images, parts.preprocessing);
  const outputs = modelOutputs(parts.model, [images, ...batch.inputs]);
  const judged = parts.tasks.filter(({ index, target }) => index === 0 || target !== parts.tasks[0]!.target);
  const loss = judged
    .map((task) => {
      const value = outputLoss(task, batch.targets[task.target]!, outputs[task.index]!);
      return judged.length === 1 || task.weight === 1 ? value : (tf.mul(value, task.weight) as tf.Scalar);
    })
    .reduce((sum, each) => tf.add(sum, each) as tf.Scalar);
  return { loss, ...measured(parts, batch.targets, outputs) };
}

function measured(
  { tasks, metrics }: StepParts,
  targets: BatchTensors["targets"],
  outputs: readonly ModelOutput[],
): Omit<StepValues, "loss"> {
  const [main] = tasks;
  return {
    correct: hasAccuracy(main!) ? correctCount(targets[main!.target]!, outputs[0]!) : tf.scalar(0),
    statistics: metrics.statistics((task) => ({
      yTrue: judgedTargets(task, targets[task.target]!),
      yPred: predictions(task, outputs[task.index]!),
    })),
  };
}

/**
 * The loss and the probabilities; with `mirror`, the probabilities are the means over each image and its mirror image.
 * `[n, h, w, c], [n] -> [], [n, outputs]`
 */
export function predictionLoss(
  { model, task, preprocessing }: Pick<StepParts, "model" | "preprocessing"> & { readonly task: OutputTask },
  images: tf.Tensor4D,
  labels: tf.Tensor1D,
  { mirror = false }: { readonly mirror?: boolean } = {},
): { loss: tf.Scalar; probabilities: tf.Tensor2D } {
  const pixels = preprocess(images, preprocessing);
  const own = modelOutputs(model, pixels)[0]!;
  const output = mirror ? meanOutput(own, modelOutputs(model, tf.reverse(pixels, 2))[0]!) : own;
  return { loss: outputLoss(task, labels, output), probabilities: probabilities(output) };
}

/** The mean of the probabilities of two outputs. */
function meanOutput(a: ModelOutput, b: ModelOutput): ModelOutput {
  return { values: tf.div(tf.add(probabilities(a), probabilities(b)), 2), areLogits: false };
}
