import { modelMetadata, type Preprocessing } from "@convkit/core";
import { type Dataset, matchClasses } from "@convkit/datasets";
import {
  checkOptions,
  checkValues,
  shown,
  trueOrFalse,
  wholeFromOne,
  wholeFromZero,
  type OptionNames,
} from "@convkit/errors";
import { executable, type ExecutionOptions } from "@convkit/graph";
import type * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { type Evaluation, evaluator, type Mistake } from "../metrics/evaluation.ts";
import type { LossSpec } from "../objective/loss.ts";
import { outputTasks, type OutputTask } from "../objective/output-tasks.ts";
import { TrainerError } from "../trainer-error.ts";
import { checkBatch, checkEvaluationData, checkRead } from "./data-checks.ts";
import type { EvaluationRuntime, Forward } from "./runtime-forward.ts";
import { testBatch } from "./test-batch.ts";
import { predictionLoss } from "./training-loss.ts";

/** The results for one batch of an evaluation. */
export interface JudgedBatch {
  /** The images' indices in the data set. */
  readonly indices: Int32Array;
  /** Indices of the true classes: in the model's order if the model names its classes, else in the data's order. */
  readonly labels: Int32Array;
  /** Indices of the predicted classes. */
  readonly predicted: Int32Array;
  /** Probability of each image's predicted class. */
  readonly probability: Float32Array;
  /** Probabilities of all classes, one image after the other. */
  readonly probabilities: Float32Array;
  /** Images seen so far. */
  readonly seen: number;
}

/** Options of `evaluate`. */
export interface EvaluateOptions {
  /**
   * A loss by name, as plain data, or as a function with one value for each image. Cross-entropy of the classes by
   * default; binary cross-entropy for a model with one output.
   */
  readonly loss?: LossSpec | undefined;
  /**
   * Converts pixels (0 to 255) to the model's input. By default as the model's metadata says, else unchanged pixels.
   */
  readonly preprocessing?: Preprocessing | undefined;
  /** Images per batch, 32 by default; more if images are small. */
  readonly batch?: number | undefined;
  /** Number of worst mistakes to return; 24 by default. */
  readonly mistakes?: number | undefined;
  /** Averages the predictions of each image and its mirror image; false by default. */
  readonly mirror?: boolean | undefined;
  /** Called after each batch; none by default. */
  readonly onBatch?: ((judged: JudgedBatch) => void | Promise<void>) | undefined;
  /** Ends the evaluation with the signal's reason; none by default. */
  readonly signal?: AbortSignal | undefined;
  /** Precision, threads and determinism; float32 by default. `eager: true` runs op by op. */
  readonly execution?: ExecutionOptions | undefined;
  /**
   * Evaluates a copy of the model in OpenVINO or ONNX Runtime, or in the faster of both (`auto`), as `predictor` of @convkit/predict
   * does. The loss then comes from probabilities, cut at 1e-7 as in Keras. By default the engine in use evaluates.
   */
  readonly runtime?: EvaluationRuntime | undefined;
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
  runtime: true,
};

/**
 * Evaluates a model on a data set of any size, batch by batch. If the model names its classes, they are matched with
 * the data's classes by name: another order, or only some of them, gives the same numbers. Throws `TrainerError` for
 * unknown options and for data that does not fit the model, `DataError` for classes that the model does not know.
 */
export async function evaluate(
  model: LayersModel,
  data: Dataset,
  options: EvaluateOptions = {},
): Promise<Evaluation & { readonly mistakes: readonly Mistake[] }> {
  checkOptions("evaluate", options, optionNames, (message) => new TrainerError(message));
  const rules = { batch: wholeFromOne, mistakes: wholeFromZero, mirror: trueOrFalse };
  checkValues("evaluate", options, rules, (message) => new TrainerError(message));
  const { batch = 32, mistakes = 24, mirror = false, onBatch, signal, execution } = options;
  checkEvaluationData(model, data);
  if (data.targets !== undefined)
    throw new TrainerError(
      `evaluate: ${data.name} has the targets ${Object.keys(data.targets).join(", ")}; evaluateTasks measures them.`,
    );
  const { classes, preprocessing: ownPreprocessing = {} } = modelMetadata(model);
  const preprocessing = options.preprocessing ?? ownPreprocessing;
  const matched = classes === undefined ? data : matchClasses(data, classes);
  const [task] = outputTasks(model, matched, { loss: options.loss }) as [OutputTask];
  const gathered = evaluator(matched.classes, { mistakes });
  const forward =
    options.runtime === undefined
      ? engineForward(model, { task, preprocessing, mirror, execution })
      : await fastForward(model, options.runtime, { task, preprocessing, mirror, execution });
  let images = 0;
  try {
    for await (const each of matched.batches({ batch: testBatch(batch, data.shape) })) {
      signal?.throwIfAborted();
      checkBatch(each, matched);
      const { labels, indices } = each;
      const made = await forward.run({ data: each.images, shape: each.shape }, labels);
      const judged = gathered.add({ labels, indices, ...made });
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

interface How {
  readonly task: OutputTask;
  readonly preprocessing: Preprocessing;
  readonly mirror: boolean;
  readonly execution: ExecutionOptions | undefined;
}

/** The forward pass of the model itself on the engine in use. */
function engineForward(model: LayersModel, { task, preprocessing, mirror, execution }: How): Forward {
  const forward = executable((images, labels) => {
    const made = predictionLoss({ model, task, preprocessing }, images as tf.Tensor4D, labels as tf.Tensor1D, {
      mirror,
    });
    return [made.loss, made.probabilities];
  }, execution);
  return {
    async run(images, labels) {
      const [mean, probabilities] = await forward.run([images, { data: labels, shape: [labels.length] }]);
      return { loss: mean!.data[0]!, probabilities: probabilities!.data };
    },
    runtime: () => undefined,
    dispose: () => forward.dispose(),
  };
}

async function fastForward(model: LayersModel, runtime: EvaluationRuntime, how: How): Promise<Forward> {
  if (!["auto", "openvino", "onnxruntime"].includes(runtime))
    throw new TrainerError(`evaluate: expected runtime to be auto, openvino or onnxruntime, got ${shown(runtime)}.`);
  if (how.execution !== undefined)
    throw new TrainerError(`evaluate: expected no execution with the runtime ${runtime}; it is for tfjs' engines.`);
  const { runtimeForward } = await import("@convkit/trainer/platform");
  return runtimeForward(model, { ...how, runtime });
}
