import { warn } from "@convkit/files/system";
import { modelMetadata, preprocess, type Preprocessing } from "@convkit/core";
import type { Dataset } from "@convkit/datasets";
import {
  checkOptions,
  type OptionNames,
  type ValueRule,
  wholeFromOne,
  wholeFromZero,
  zeroToOne,
} from "@convkit/errors";
import { executable, type ExecutionOptions } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { throwProblems, valueProblems } from "../checks/fields.ts";
import { type MetricOption, MetricSet } from "../metrics/metric-set.ts";
import { type OutputEvaluation, outputEvaluator, type Thresholds } from "../metrics/output-evaluation.ts";
import type { LossOption } from "../objective/loss.ts";
import { modelOutputs } from "../objective/model-outputs.ts";
import { judgedTargets, outputLoss, predictions } from "../objective/objective.ts";
import { hasAccuracy, type OutputTask, outputTasks } from "../objective/output-tasks.ts";
import { TrainerError } from "../trainer-error.ts";
import { batchLayout } from "./batch-layout.ts";
import { taskProblems } from "./check-tasks.ts";
import { checkBatch, checkEvaluationData, checkRead, hasSameClasses } from "./data-checks.ts";
import { testBatch } from "./test-batch.ts";

/** Options of `evaluateTasks`. */
export interface EvaluateTasksOptions {
  /** As in `train`: by default the usual loss of each output's target. */
  readonly loss?: LossOption | undefined;
  /** Factor of each output's loss by its name; 1 by default. */
  readonly lossWeights?: Readonly<Record<string, number>> | undefined;
  /** Metrics for all outputs or by their names; none by default: each output has its report. */
  readonly metrics?: MetricOption | undefined;
  /**
   * The probability above which a label counts as predicted: one for all labels, a list, or `"f1"` for the thresholds with the highest F1 on
   * these images, which are too good for a judgement. By default as the model's metadata say, else 0.5. Metrics have thresholds of their own.
   */
  readonly threshold?: Thresholds | undefined;
  /** Converts pixels (0 to 255) to the model's input. By default as the model's metadata says, else unchanged pixels. */
  readonly preprocessing?: Preprocessing | undefined;
  /** Images per batch, 32 by default; more if images are small. */
  readonly batch?: number | undefined;
  /** Number of images with the largest differences to return; 24 by default. */
  readonly worst?: number | undefined;
  /** Called after each batch; none by default. */
  readonly onBatch?: ((judged: PredictedBatch) => void | Promise<void>) | undefined;
  /** Takes notes, such as on a metric that throws; a warning of the process by default. */
  readonly onNote?: ((note: string) => void) | undefined;
  /** Ends the evaluation with the signal's reason; none by default. */
  readonly signal?: AbortSignal | undefined;
  /** Precision, threads and determinism; float32 by default. `eager: true` runs op by op. */
  readonly execution?: ExecutionOptions | undefined;
}

/** The predictions for one batch of an evaluation. */
export interface PredictedBatch {
  /** The images' indices in the data set. */
  readonly indices: Int32Array;
  /** What the images have, by the names of the outputs. */
  readonly actual: Readonly<Record<string, ArrayLike<number>>>;
  /** What is predicted, by the names of the outputs; the most likely classes for masks. */
  readonly predicted: Readonly<Record<string, Float32Array>>;
  /** Images seen so far. */
  readonly seen: number;
}

/** The result of an evaluation of outputs of any kind. */
export interface TaskEvaluation {
  readonly count: number;
  /** The weighted sum of the outputs' losses. */
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly outputs: readonly OutputEvaluation[];
}

const optionNames: OptionNames<EvaluateTasksOptions> = {
  loss: true,
  lossWeights: true,
  metrics: true,
  threshold: true,
  preprocessing: true,
  batch: true,
  worst: true,
  onBatch: true,
  onNote: true,
  signal: true,
  execution: true,
};

/**
 * Evaluates a model whose outputs tell several labels, numbers, masks or classes, on a data set with such targets. Labels
 * have precision, recall and their curve; numbers their errors; masks the overlap of each class. Throws `TrainerError`
 * for unknown options, and for data and losses that do not fit the model.
 */
export async function evaluateTasks(
  model: LayersModel,
  data: Dataset,
  options: EvaluateTasksOptions = {},
): Promise<TaskEvaluation> {
  checkOptions("evaluateTasks", options, optionNames, (message) => new TrainerError(message));
  const { batch = 32, worst = 24, signal, onBatch, metrics: asked = [] } = options;
  throwProblems([
    ...valueProblems("batch", batch, wholeFromOne),
    ...valueProblems("worst", worst, wholeFromZero),
    ...valueProblems("threshold", options.threshold ?? 0.5, thresholds),
  ]);
  checkEvaluationData(model, data);
  const all = outputTasks(model, data, options);
  const tasks = all.filter(({ index, target }) => index === 0 || target !== all[0]!.target);
  throwProblems([...taskProblems(model, data, tasks), ...nameProblems(model, data, tasks)]);
  const { preprocessing = modelMetadata(model).preprocessing ?? {} } = options;
  const metrics = new MetricSet(tasks, asked, options.onNote ?? warn);
  const layout = batchLayout(model, data);
  const evaluators = tasks.map((task) =>
    outputEvaluator(task, { thresholds: thresholdsOf(model, task, options.threshold), kept: worst }),
  );
  const forward = executable((...fed) => {
    const { images, inputs, targets } = layout.tensors(fed);
    const outputs = modelOutputs(model, [preprocess(images, preprocessing), ...inputs]);
    const own = tasks.flatMap((task) => {
      const output = outputs[task.index]!;
      const made = predictions(task, output);
      return [outputLoss(task, targets[task.target]!, output), task.kind === "mask" ? mostLikely(made) : made];
    });
    const yPred = (index: number) => predictions(all[index]!, outputs[index]!);
    const yTrue = (task: OutputTask) => judgedTargets(task, targets[task.target]!);
    return [...own, ...metrics.statistics((task) => ({ yTrue: yTrue(task), yPred: yPred(task.index) }))];
  }, options.execution);
  let images = 0;
  try {
    for await (const each of data.batches({ batch: testBatch(batch, data.shape) })) {
      signal?.throwIfAborted();
      checkBatch(each, data);
      const { indices, labels, targets } = each;
      const values = await forward.run(layout.feeds(each));
      const actual = Object.fromEntries(tasks.map(({ output, target }) => [output, targets?.[target] ?? labels]));
      const predicted = Object.fromEntries(tasks.map(({ output }, place) => [output, values[2 * place + 1]!.data]));
      for (const [place, { output }] of tasks.entries())
        evaluators[place]!.add({
          indices,
          actual: actual[output]!,
          predicted: predicted[output]!,
          loss: values[2 * place]!.data[0]!,
        });
      metrics.update(values.slice(2 * tasks.length));
      images += labels.length;
      each.release?.();
      await onBatch?.({ indices, actual, predicted, seen: images });
    }
  } finally {
    await forward.dispose();
  }
  checkRead(images, data);
  const outputs = evaluators.map((each) => each.result());
  const loss = outputs.reduce(
    (sum, each, place) => sum + each.loss * (tasks.length === 1 ? 1 : tasks[place]!.weight),
    0,
  );
  const accuracies = tasks.flatMap((task, place) => {
    const { confusion, overlaps = [] } = outputs[place]!;
    if (confusion === undefined || !(hasAccuracy(task) || task.kind === "mask")) return [];
    const named = (name: string): string => (tasks.length === 1 ? name : `${task.output}_${name}`);
    const known = overlaps.filter((share) => share !== null);
    const overlap = known.reduce((sum, share) => sum + share, 0) / known.length;
    const total = confusion.flat().reduce((sum, count) => sum + count, 0);
    const right = confusion.reduce((sum, row, index) => sum + row[index]!, 0);
    return [
      [named("accuracy"), right / total] as const,
      ...(task.kind === "mask" ? [[named("mean-iou"), overlap] as const] : []),
    ];
  });
  return { count: images, loss, metrics: { ...Object.fromEntries(accuracies), ...metrics.results() }, outputs };
}

const thresholds: ValueRule = [
  'a number from 0 to 1, a list of them, or "f1"',
  (value) => value === "f1" || (Array.isArray(value) ? value.every((each) => zeroToOne[1](each)) : zeroToOne[1](value)),
];

/** The thresholds of a task's labels: those that are given, or those that the model knows of its first output. */
function thresholdsOf(model: LayersModel, task: OutputTask, given: Thresholds | undefined): Thresholds {
  const { output, kind, names, index } = task;
  if (kind === "labels" && typeof given === "object" && given.length !== names.length)
    throw new TrainerError(
      `threshold: expected ${names.length} numbers for ${output}, one a label, got ${given.length}.`,
    );
  return given ?? (index === 0 ? modelMetadata(model).thresholds : undefined) ?? 0.5;
}

/** A model that names its labels or the classes of its masks: data with other names would give their numbers other meanings. */
function nameProblems(model: LayersModel, data: Dataset, [main]: readonly OutputTask[]): string[] {
  const { classes } = modelMetadata(model);
  const isNamed = main!.kind === "labels" || main!.kind === "mask";
  if (!isNamed || classes === undefined || hasSameClasses(classes, main!.names)) return [];
  return [
    `${model.name} tells ${classes.join(", ")}, but ${main!.target} of ${data.name} has ${main!.names.join(", ")}: expected the same names in the same order.`,
  ];
}

/** The most likely class of each pixel. `[n, h, w, classes] -> [n, h, w]` */
function mostLikely(probabilities: tf.Tensor): tf.Tensor {
  const width = probabilities.shape.at(-1)!;
  const classes = width === 1 ? tf.greater(tf.squeeze(probabilities, [-1]), 0.5) : tf.argMax(probabilities, -1);
  return tf.cast(classes, "float32");
}
