import type { ModelMetadata, Preprocessing } from "@convkit/core";
import type { Dataset, DataSplits } from "@convkit/datasets";
import type { ExecutionOptions } from "@convkit/graph";
import type * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { Callback } from "../callbacks/callback.ts";
import type { MetricOption } from "../metrics/metric-set.ts";
import type { LossOption } from "../objective/loss.ts";
import type { Distillation } from "../objective/distillation.ts";
import type { OptimizerConfig, OptimizerName } from "../optimization/optimizer-config.ts";
import type { Schedule } from "../optimization/schedules.ts";
import type { EpochLogs } from "../run/history.ts";
import type { Monitor } from "../run/monitor.ts";
import type { RunClaim } from "../run/run-directory.ts";
import type { AugmentationPlan, BatchAugmentation } from "../step/augmentation.ts";
import type { EvaluationRuntime } from "../step/runtime-forward.ts";

/** What to train, on which data, and how. */
export interface TrainOptions {
  readonly model: LayersModel;
  /** The images: a data set, or `{ name, train, validation }` as `loadData` gives. */
  readonly data: Dataset | DataSplits;
  /**
   * The images that each epoch ends with a test on: a data set, or how many of the training images are held out, as a share below 1
   * or a count (drawn by `seed`). By default the validation images of `data`, if it has some.
   */
  readonly validation?: Dataset | number | undefined;
  /** Whether the images that `validation` holds out have the same share of each class; false by default. */
  readonly stratify?: boolean | undefined;
  /**
   * `"balanced"` draws each class equally often in each epoch, which has as many images as before: those of small classes repeat.
   * By default each image comes once.
   */
  readonly sampling?: "balanced" | undefined;
  /**
   * Repeated augmentation: each image comes so many times in a row, each time augmented anew, in an epoch of as many images as
   * before, so that an epoch sees a part of them (Hoffer et al. 2019; timm's `RepeatAugSampler` with `selected_round=0`). 1 by default.
   */
  readonly repeats?: number | undefined;
  /**
   * Validates a copy of the model, made after each epoch, in OpenVINO or ONNX Runtime, or in the faster of both (`auto`), in float32. The
   * loss comes from probabilities, cut at 1e-7 as in Keras. By default the engine in use validates.
   */
  readonly validationRuntime?: EvaluationRuntime | undefined;
  /**
   * What is minimized: a name, plain data, a function `(yTrue, yPred) => losses` with one value for each example, or one of these
   * for each output by its name. Cross-entropy of classes by default, binary cross-entropy of labels and of a model with
   * one output, the mean of the squared differences of numbers.
   */
  readonly loss?: LossOption | undefined;
  /**
   * What is measured beside the loss, for all outputs or by their names: names, functions with one value for each example, or
   * objects with `update`, `result` and `reset`. By default the accuracy of classes, `binary-accuracy` and `f1` of
   * labels, `mae` of numbers, `mean-iou` of masks; the accuracy of classes is always measured.
   */
  readonly metrics?: MetricOption | undefined;
  /**
   * A name, plain data, or an optimizer of your own (of `defineOptimizer`, or another `tf.Optimizer` with a number `learningRate`),
   * which is used as it is and not disposed. `sgd` with its learning rate 0.01 by default.
   */
  readonly optimizer?: OptimizerName | OptimizerConfig | tf.Optimizer | undefined;
  /**
   * How the learning rate changes: plain data, or text such as `"cosine"` or `"cosine:warmup=2"`; constant by default.
   */
  readonly schedule?: Schedule | string | undefined;
  /** Passes over the training data, or parts of `stepsPerEpoch` steps, including those before a resume. */
  readonly epochs: number;
  /**
   * Steps of an epoch, after which come validation, history and checkpoint. The next epoch goes on in the data where it ended; after
   * the last image a new pass in a new order begins. By default an epoch is one pass over the training data.
   */
  readonly stepsPerEpoch?: number | undefined;
  /**
   * Validates on so many batches of `batch` images, the same in each epoch, drawn by `seed`; by default on all validation images.
   */
  readonly validationSteps?: number | undefined;
  /** Images per step; 32 by default. */
  readonly batch?: number | undefined;
  /**
   * Seed of the image order and of all random numbers during training, 0 by default. The model brings its own initial
   * weights.
   */
  readonly seed?: number | undefined;
  /**
   * Converts pixels (0 to 255) to the model's input. By default as the model's metadata says, else unchanged pixels.
   */
  readonly preprocessing?: Preprocessing | undefined;
  /** Random changes of the images: plain data, `{ flip: "horizontal", rotation: 0.05 }`, or a function; none by default. */
  readonly augment?: AugmentationPlan | BatchAugmentation | undefined;
  /**
   * Factor for the loss of each class's images, of each label, or of a mask's classes, for all outputs or by their names. As
   * in Keras, the loss is the mean of the weighted losses. 1 by default.
   */
  readonly classWeights?: readonly number[] | Readonly<Record<string, readonly number[]>> | undefined;
  /** Factor for each image's loss, by its index in the training data, for all outputs or by their names; 1 by default. */
  readonly sampleWeights?: Float32Array | Readonly<Record<string, Float32Array>> | undefined;
  /**
   * Factor for each output's loss; by default as the model's metadata says, else 1. The first output makes the
   * predictions.
   */
  readonly outputWeights?: readonly number[] | undefined;
  /** The same by the names of the outputs; by default `outputWeights`. */
  readonly lossWeights?: Readonly<Record<string, number>> | undefined;
  /** A teacher whose predictions are targets beside the labels; none by default. */
  readonly distill?: Distillation | undefined;
  /**
   * Steps that TensorFlow runs in one call, which is faster for steps of a few milliseconds. Each step has its own
   * learning rate; an interruption waits for the last step of a call. By default the network's size decides.
   */
  readonly stepsPerCall?: number | undefined;
  /**
   * Number of batches whose gradients are averaged, weighted by images, before the weights change. The last batches of
   * an epoch may be fewer. 1 by default.
   */
  readonly accumulate?: number | undefined;
  /**
   * In several workers (`distribute` of @convkit/graph): batch normalization takes its statistics over the images of all workers, as Keras'
   * `synchronized`. False by default: over each worker's own images. In one process it changes nothing.
   */
  readonly syncBatchNorm?: boolean | undefined;
  /** Decay of a moving average of the weights; the average is validated and saved. None by default. */
  readonly ema?: number | undefined;
  /**
   * Stochastic weight averaging: the model ends with the mean of its weights at the ends of the epochs from `start` on (counted from 1),
   * with statistics of its norms computed anew on a pass over the training data, drawn as those of the epochs. Epochs validate their own weights, the result's `swa` has the
   * mean's validation. None by default.
   */
  readonly swa?: WeightAveraging | undefined;
  /** Called at the beginning and end of the run, of each epoch and batch; none by default. */
  readonly callbacks?: readonly Callback[] | undefined;
  /** Takes notes, such as on a metric that throws; a warning of the process by default. */
  readonly onNote?: ((note: string) => void) | undefined;
  /** Shows a line per epoch and a bar on standard error; by default if that is a terminal. */
  readonly progress?: boolean | undefined;
  /** The value that decides which epoch is the best: `valLoss` by default, `loss` without validation data. */
  readonly monitor?: Monitor | undefined;
  /** Whether the model ends with the best epoch's weights; true by default. */
  readonly restoreBest?: boolean | undefined;
  /**
   * The run directory, for history, checkpoints and the best model. One process at a time may write there.
   * By default, nothing is written.
   */
  readonly out?: string | undefined;
  /**
   * The claim of `out`, if the caller has claimed it with `claimRunDirectory` to write there, too. By default, `train`
   * claims it for the time of the training.
   */
  readonly claim?: RunClaim | undefined;
  /** When checkpoints are written; by default after each epoch, and within long ones every 10 minutes. */
  readonly checkpoints?: CheckpointOptions | undefined;
  /**
   * Resumes from the newest checkpoint in `out`, or starts if there is none. All settings but the number of epochs must
   * be those that the run began with. False by default.
   */
  readonly resume?: boolean | ResumeOptions | undefined;
  /**
   * Metadata of the saved model besides its classes and preprocessing. By default `images` is how the training images
   * were decoded.
   */
  readonly metadata?: ModelMetadata | undefined;
  /** Precision, threads and determinism of the compiled step; float32 by default. `eager: true` runs it op by op. */
  readonly execution?: ExecutionOptions | undefined;
  /** Ends the run after the current step, and the trained weights are kept; none by default. */
  readonly signal?: AbortSignal | undefined;
}

/** Which epochs' weights are averaged. */
export interface WeightAveraging {
  /** The first epoch whose weights count, from 1. */
  readonly start: number;
}

/** How a run is resumed. */
export interface ResumeOptions {
  /**
   * Accepts another engine and another number of threads than the run began with: its numbers will differ in the last
   * bits. False by default.
   */
  readonly anyMachine?: boolean | undefined;
}

/** When checkpoints are written and which are kept. */
export interface CheckpointOptions {
  /** Epochs between checkpoints, 1 by default; 0 writes only one, at the end. */
  readonly every?: number | undefined;
  /** Minutes after which a checkpoint is written within an epoch; 10 by default. */
  readonly minutes?: number | undefined;
  /** Number of newest checkpoints to keep, at least 1; 1 by default. */
  readonly keep?: number | undefined;
  /** Number of checkpoints of the best epochs to keep besides; 0 by default. */
  readonly keepBest?: number | undefined;
  /**
   * Called if history, model or checkpoint cannot be written, such as on a full disk; the training then goes on, and
   * tries again with the next one. By default the training ends with the error.
   */
  readonly onError?: ((error: Error) => void) | undefined;
}

/** Seconds of a run by activity, over all processes of a resumed run. */
export interface Timings {
  /** The first call of each process, which compiles the step. */
  readonly first: number;
  /** The other training steps. */
  readonly step: number;
  /** Waiting for images while there was no other work. */
  readonly data: number;
  readonly validation: number;
  /** Writing checkpoints, models and event files, and all other callbacks. */
  readonly callbacks: number;
}

/** The result of a run. */
export interface RunResult {
  readonly run: string | undefined;
  readonly epochs: number;
  readonly steps: number;
  readonly best: EpochLogs | undefined;
  readonly final: EpochLogs | undefined;
  readonly history: readonly EpochLogs[];
  readonly stopReason: string | undefined;
  readonly interrupted: boolean;
  /** True if the run stopped because a loss was not finite; `stopReason` says where this began. */
  readonly diverged: boolean;
  /** Seconds of the run, over all processes of a resumed run. */
  readonly seconds: number;
  /** Speed of the training steps after the first call. */
  readonly imagesPerSecond: number;
  readonly timings: Timings;
  /** The number of averaged epochs, and the validation of the model with their mean; missing without `swa`. */
  readonly swa?: (Pick<EpochLogs, "valLoss" | "valAccuracy" | "metrics"> & { readonly epochs: number }) | undefined;
  /** What computed the last validation; missing without `validationRuntime`, when the engine in use did. */
  readonly validationRuntime?: string | undefined;
}
