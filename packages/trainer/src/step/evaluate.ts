import { modelMetadata, type Preprocessing } from "@convkit/core";
import { type Dataset, matchClasses } from "@convkit/datasets";
import { checkOptions, type OptionNames } from "@convkit/errors";
import { executable, type ExecutionOptions } from "@convkit/graph";
import type * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { type Evaluation, evaluator, type Mistake } from "../metrics/evaluation.ts";
import { defaultLoss, type Loss, type LossName } from "../objective/objective.ts";
import { TrainerError } from "../trainer-error.ts";
import { checkBatch, checkEvaluationData, checkRead } from "./data-checks.ts";
import { testBatch } from "./test-batch.ts";
import { predictionLoss } from "./training-loss.ts";

/** What an evaluation found in one batch. */
export interface JudgedBatch {
  /** The images' places in the data set. */
  readonly indices: Int32Array;
  /** Numbers of the true classes: the model's, where the model names its classes, else the data's. */
  readonly labels: Int32Array;
  /** Numbers of the predicted classes. */
  readonly predicted: Int32Array;
  /** Probability of each image's predicted class. */
  readonly probability: Float32Array;
  /** Images seen so far. */
  readonly seen: number;
}

/** How a model is evaluated. */
export interface EvaluateOptions {
  /** Cross-entropy of the classes by default; binary cross-entropy for a model with one output. */
  readonly loss?: LossName | Loss | undefined;
  /** From pixels (0 to 255) to the model's input; what the model says of itself by default, else pixels as they are. */
  readonly preprocessing?: Preprocessing | undefined;
  /** Images at once, 32 by default; more where images are small. */
  readonly batch?: number | undefined;
  /** How many of the worst mistakes are returned; 24 by default. */
  readonly mistakes?: number | undefined;
  /** Predicts the mean of each image and its mirror image; false by default. */
  readonly mirror?: boolean | undefined;
  /** Called after each batch. */
  readonly onBatch?: ((judged: JudgedBatch) => void | Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Precision, threads and determinism; `eager: true` runs op by op. */
  readonly execution?: ExecutionOptions | undefined;
}

const optionNames: OptionNames<EvaluateOptions> = {
  loss: true,
  preprocessing: true,
  batch: true,
  mistakes: true,
  mirror: true,
  onBatch: true,
  signal: true,
  execution: true,
};

/**
 * Evaluates a model on a data set of any size, batch by batch. Where the model names its classes, the data's classes are matched
 * by name: another order, or only some of them, gives the same numbers. Throws `TrainerError` for unknown options and where data
 * and model do not fit, `DataError` for classes that the model does not know.
 */
export async function evaluate(
  model: LayersModel,
  data: Dataset,
  options: EvaluateOptions = {},
): Promise<Evaluation & { readonly mistakes: readonly Mistake[] }> {
  checkOptions("evaluate", options, optionNames, (message) => new TrainerError(message));
  const { batch = 32, mistakes = 24, mirror = false, onBatch, signal, execution } = options;
  checkEvaluationData(model, data);
  const { classes, preprocessing: ownPreprocessing = {} } = modelMetadata(model);
  const preprocessing = options.preprocessing ?? ownPreprocessing;
  const matched = classes === undefined ? data : matchClasses(data, classes);
  const loss = typeof options.loss === "string" ? { name: options.loss } : (options.loss ?? defaultLoss(model));
  const gathered = evaluator(matched.classes, { mistakes });
  const forward = executable((images, labels) => {
    const made = predictionLoss({ model, loss, preprocessing }, images as tf.Tensor4D, labels as tf.Tensor1D, {
      mirror,
    });
    return [made.loss, made.probabilities];
  }, execution);
  let images = 0;
  try {
    for await (const each of matched.batches({ batch: testBatch(batch, data.shape) })) {
      signal?.throwIfAborted();
      checkBatch(each, matched);
      const { labels, indices } = each;
      const [mean, probabilities] = await forward.run([
        { data: each.images, shape: each.shape },
        { data: labels, shape: [labels.length] },
      ]);
      const judged = gathered.add({ labels, indices, probabilities: probabilities!.data, loss: mean!.data[0]! });
      images += labels.length;
      each.release?.();
      await onBatch?.({ indices, labels, ...judged, seen: images });
    }
  } finally {
    await forward.dispose();
  }
  checkRead(images, data);
  return { ...gathered.result(), mistakes: gathered.mistakes };
}
