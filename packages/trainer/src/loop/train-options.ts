import type { ModelMetadata, Preprocessing } from "@convkit/core";
import type { DataSplits } from "@convkit/datasets";
import type { ExecutionOptions } from "@convkit/graph";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { Callback } from "../callbacks/callback.ts";
import type { Loss, LossName } from "../objective/objective.ts";
import type { OptimizerConfig, OptimizerName } from "../optimization/optimizer-config.ts";
import type { Schedule } from "../optimization/schedules.ts";
import type { EpochLogs } from "../run/history.ts";
import type { Monitor } from "../run/monitor.ts";
import type { BatchAugmentation } from "../step/augmentation.ts";

/** What to train, on which data, and how. */
export interface TrainOptions {
  readonly model: LayersModel;
  readonly data: DataSplits;
  /** Cross-entropy of the classes by default; binary cross-entropy for a model with one output. */
  readonly loss?: LossName | Loss | undefined;
  /** `sgd` with its learning rate 0.01 by default. */
  readonly optimizer?: OptimizerName | OptimizerConfig | undefined;
  /** How the learning rate changes; constant by default. */
  readonly schedule?: Schedule | undefined;
  /** Passes over the training data, those of a resumed run counted in. */
  readonly epochs: number;
  /** Images a step; 32 by default. */
  readonly batch?: number | undefined;
  /** Seed of the order of the images and of all random numbers while training, 0 by default; the weights are the model's own. */
  readonly seed?: number | undefined;
  /** From pixels (0 to 255) to the model's input; what the model says of itself by default, else pixels as they are. */
  readonly preprocessing?: Preprocessing | undefined;
  readonly augment?: BatchAugmentation | undefined;
  /** Factor of the loss of each class's images, as in Keras: the loss is the mean of the weighted losses. */
  readonly classWeights?: readonly number[] | undefined;
  /** Factor of each image's loss, by its place in the training data. */
  readonly sampleWeights?: Float32Array | undefined;
  /** Factor of each output's loss; what the model says of itself by default, else 1. The first output is the one that predicts. */
  readonly outputWeights?: readonly number[] | undefined;
  /**
   * Steps that TensorFlow runs in one call, which is faster where a step takes a few milliseconds. Each step has its own learning
   * rate; an interruption waits for the last of them. Chosen by the network's size by default.
   */
  readonly stepsPerCall?: number | undefined;
  /** Batches whose gradients are averaged, image by image, before the weights change; an epoch's last batches may be fewer. */
  readonly accumulate?: number | undefined;
  /** Decay of a moving average of the weights; the average is validated, kept and saved. */
  readonly ema?: number | undefined;
  readonly callbacks?: readonly Callback[] | undefined;
  /** The value that decides which epoch is the best: `valLoss` by default, `loss` without validation data. */
  readonly monitor?: Monitor | undefined;
  /** Whether the model ends with the best epoch's weights; true by default. */
  readonly restoreBest?: boolean | undefined;
  /** The run directory: history, checkpoints and the best model are written there. */
  readonly out?: string | undefined;
  readonly checkpoints?: CheckpointOptions | undefined;
  /** Goes on from the newest checkpoint in `out`, or begins anew where there is none yet. */
  readonly resume?: boolean | undefined;
  /**
   * What the saved model says of itself beside its classes and preprocessing. `images` is how the training images were decoded, by
   * default.
   */
  readonly metadata?: ModelMetadata | undefined;
  /** Precision, threads and determinism of the compiled step; `eager: true` runs it op by op. */
  readonly execution?: ExecutionOptions | undefined;
  /** Ends the run after the step under way; everything learned is kept. */
  readonly signal?: AbortSignal | undefined;
}

/** When checkpoints are written and which are kept. */
export interface CheckpointOptions {
  /** Epochs between two checkpoints, 1 by default; 0 for only one at the end. */
  readonly every?: number | undefined;
  /** Minutes after which a checkpoint is written within an epoch; 10 by default. */
  readonly minutes?: number | undefined;
  /** How many of the newest checkpoints are kept, from 1; 1 by default. */
  readonly keep?: number | undefined;
  /** How many checkpoints of the best epochs are kept besides; 0 by default. */
  readonly keepBest?: number | undefined;
}

/** Seconds of a run by what they were spent on, all processes of a resumed run counted in. */
export interface Timings {
  /** The first call of each process, which compiles the step. */
  readonly first: number;
  /** The other training steps. */
  readonly step: number;
  /** Waiting for images while nothing else could be done. */
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
  /** Whether the run stopped because a loss was not finite; `stopReason` says where that began. */
  readonly diverged: boolean;
  /** Seconds of the run, all processes of a resumed run counted in. */
  readonly seconds: number;
  /** Of the training steps after the first call. */
  readonly imagesPerSecond: number;
  readonly timings: Timings;
}
