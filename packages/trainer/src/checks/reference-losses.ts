import type { IndexedDataset } from "@convkit/datasets";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { isOwn } from "../objective/loss.ts";
import { type ModelOutput, modelOutputs } from "../objective/model-outputs.ts";
import { outputLoss } from "../objective/objective.ts";
import { hasAccuracy, inputNames, type OutputTask, targetsOf } from "../objective/output-tasks.ts";

/** What the losses of a batch are compared with. */
export interface ReferenceLosses {
  /** The loss of equal chances; of numbers, that of their means. Missing where the outputs of classes are no chances, as in an embedding. */
  readonly expected?: number | undefined;
  /** The loss of outputs that are the targets themselves: not 0 with label smoothing, -1 for the cosine. */
  readonly least: number;
}

/** The losses of a batch by what a network would tell that knows nothing of the images, and by what one would that knows all. */
export async function referenceLosses(
  model: LayersModel,
  data: IndexedDataset,
  tasks: readonly OutputTask[],
): Promise<ReferenceLosses> {
  if (tasks.some((task) => task.kind === "class" && !hasAccuracy(task))) return { least: 0 };
  const sums = tf.tidy(() => {
    const further = inputNames(model)
      .slice(data.inputs === undefined ? Infinity : 1)
      .map((name) => tf.zeros([1, ...data.inputs![name]!]));
    const outputs = modelOutputs(model, [tf.zeros([1, ...data.shape]), ...further]);
    const losses = tasks.map((task) => {
      const output = outputs[task.index]!;
      const targets = targetTensor(data, task);
      const factor = tasks.length === 1 ? 1 : task.weight;
      const lossOf = (told: ModelOutput) => tf.mul(outputLoss(task, targets, told), factor);
      const right = rightOutput(task, targets, output);
      return [lossOf(guess(task, targets, output)), right === undefined ? tf.scalar(0) : lossOf(right)] as const;
    });
    return tf.stack([0, 1].map((place) => tf.addN(losses.map((each) => each[place]!))));
  });
  const [expected, least] = await sums.data();
  sums.dispose();
  return { expected: expected!, least: least! };
}

function targetTensor(data: IndexedDataset, { target, kind }: OutputTask): tf.Tensor {
  const values = data.targetValues?.[target] ?? data.labels;
  const isWhole = kind === "class" || kind === "mask";
  const shape = [data.size, ...targetsOf(data)[target]!.shape];
  return tf.tensor(values, shape, isWhole ? "int32" : "float32");
}

/** Equal chances for all classes and labels, the batch's means for numbers. */
function guess({ kind }: OutputTask, targets: tf.Tensor, output: ModelOutput): ModelOutput {
  if (kind === "numbers") {
    const means = tf.mean(targets, 0, true);
    return { values: tf.tile(means, [targets.shape[0]!, 1]) as tf.Tensor2D, areLogits: false };
  }
  const [, ...rest] = output.values.shape as number[];
  const shape = [targets.shape[0]!, ...rest];
  if (output.areLogits) return { ...output, values: tf.zeros<tf.Rank>(shape) as tf.Tensor2D };
  const chance = kind === "labels" ? 0.5 : 1 / Math.max(2, shape.at(-1)!);
  return { ...output, values: tf.fill<tf.Rank>(shape, chance) as tf.Tensor2D };
}

/** The targets as the network would tell them; undefined for a loss of the user's from logits, which have no right value. */
function rightOutput({ kind, loss }: OutputTask, targets: tf.Tensor, output: ModelOutput): ModelOutput | undefined {
  if (kind === "numbers") return { values: targets as tf.Tensor2D, areLogits: false };
  if (isOwn(loss) && output.areLogits && output.activation === undefined) return undefined;
  const units = output.values.shape.at(-1)!;
  const wanted =
    kind === "labels"
      ? targets
      : units === 1
        ? tf.expandDims(tf.cast(targets, "float32"), -1)
        : tf.oneHot(tf.cast(targets, "int32"), units, 1, 0, "float32");
  const { labelSmoothing = 0 } = isOwn(loss) ? {} : loss;
  const uniform = kind === "labels" || units === 1 ? 0.5 : 1 / units;
  const smooth = tf.add(tf.mul(wanted, 1 - labelSmoothing), labelSmoothing * uniform);
  return { values: smooth as tf.Tensor2D, areLogits: false };
}
