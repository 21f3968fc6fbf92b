import type { Preprocessing } from "@convkit/core";
import type { Dataset } from "@convkit/datasets";
import type * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { checkBatch, checkEvaluationData, checkRead } from "./data-checks.ts";
import { testBatch } from "../loop/epoch.ts";
import { executable, type ExecutionOptions } from "@convkit/graph";
import { type Evaluation, evaluator, type Mistake } from "../metrics/evaluation.ts";
import { defaultLoss, type Loss, type LossName } from "../objective/objective.ts";
import { predictionLoss } from "./training-loss.ts";

/** What an evaluation found of some images. */
export interface JudgedBatch {
  /** Their places in the data set. */
  readonly indices: Int32Array;
  readonly labels: Int32Array;
  readonly predicted: Int32Array;
  /** Of the predicted class. */
  readonly probability: Float32Array;
  /** Images seen so far. */
  readonly seen: number;
}

export interface EvaluateOptions {
  readonly loss?: LossName | Loss;
  readonly preprocessing?: Preprocessing;
  readonly batch?: number;
  /** How many of the worst mistakes are told. */
  readonly mistakes?: number;
  /** Averages what the model says of each image and of its mirror image. */
  readonly mirror?: boolean;
  /** Called after each batch with what was found, so that it may be written down. */
  readonly onBatch?: (judged: JudgedBatch) => void | Promise<void>;
  readonly signal?: AbortSignal;
  readonly execution?: ExecutionOptions;
}

/** Evaluates a model on a data set of any size, batch by batch; throws `TrainerError` where the two do not fit. */
export async function evaluate(
  model: LayersModel,
  data: Dataset,
  options: EvaluateOptions = {},
): Promise<Evaluation & { readonly mistakes: readonly Mistake[] }> {
  const { preprocessing = {}, batch = 32, mistakes = 24, mirror = false, onBatch, signal, execution } = options;
  checkEvaluationData(model, data);
  const loss = typeof options.loss === "string" ? { name: options.loss } : (options.loss ?? defaultLoss(model));
  const gathered = evaluator(data.classes, { mistakes });
  const forward = executable((images, labels) => {
    const made = predictionLoss({ model, loss, preprocessing }, images as tf.Tensor4D, labels as tf.Tensor1D, {
      mirror,
    });
    return [made.loss, made.probabilities];
  }, execution);
  let images = 0;
  try {
    for await (const each of data.batches({ batch: testBatch(batch, data.shape) })) {
      signal?.throwIfAborted();
      checkBatch(each, data);
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
