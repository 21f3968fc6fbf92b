import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { EpochLogs } from "../run/history.ts";
import type { JsonValue } from "@convkit/files";
import type { Monitor } from "../run/monitor.ts";
import type { Picture } from "../tensorboard/event-file.ts";

/** What callbacks see of a running training. They may scale the learning rate and stop the run. */
export interface Training {
  readonly model: LayersModel;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  /** The values that epochs have: `valLoss` and `valAccuracy` only with validation data. */
  readonly monitors: readonly Monitor[];
  /** Images of one epoch. */
  readonly images: number;
  /** The run directory, where there is one. */
  readonly out: string | undefined;
  /** Epochs done, those before a resume counted in. */
  readonly epoch: number;
  /** Steps done, those before a resume counted in. */
  readonly step: number;
  /** The learning rate of the next step. */
  readonly learningRate: number;
  /** Multiplies the schedule's learning rate from the next step on. */
  scaleLearningRate(factor: number): void;
  /** Ends the run after this step or epoch; everything learned is kept. */
  stop(reason: string): void;
  readonly stopReason: string | undefined;
  /** One sheet of the first images of the first epoch, augmented as its first step augments them. */
  firstBatchSheet(count: number): Promise<Picture | undefined>;
  /** One sheet of the images that the model is most sure about and wrong: of the validation data, else of the training data. */
  mistakesSheet(count: number): Promise<Picture | undefined>;
  /** Makes the weights readable in `model`; while training they are in the engine. */
  syncWeights(): Promise<void>;
}

/** Means over the images seen so far in the epoch. */
export interface BatchLogs {
  readonly epoch: number;
  /** Batches of this epoch done so far. */
  readonly batch: number;
  readonly size: number;
  /** The loss of this batch alone. */
  readonly stepLoss: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly lr: number;
  readonly imagesPerSecond: number;
}

type Done = void | Promise<void>;

/**
 * Hooks into a training, with the names of Keras' callbacks; all are optional. A callback whose decisions depend on earlier epochs
 * has a `name`, and `state` and `restore` for checkpoints, so that a resumed run decides as an undisturbed one.
 */
export interface Callback {
  readonly name?: string | undefined;
  onTrainBegin?(training: Training): Done;
  onTrainEnd?(training: Training): Done;
  onEpochBegin?(epoch: number, training: Training): Done;
  onEpochEnd?(epoch: number, logs: EpochLogs, training: Training): Done;
  onTrainBatchBegin?(batch: number, training: Training): Done;
  onTrainBatchEnd?(batch: number, logs: BatchLogs, training: Training): Done;
  onTestBegin?(training: Training): Done;
  onTestEnd?(logs: { readonly loss: number; readonly accuracy: number }, training: Training): Done;
  onTestBatchBegin?(batch: number, training: Training): Done;
  onTestBatchEnd?(batch: number, training: Training): Done;
  state?(): JsonValue;
  restore?(state: JsonValue): void;
}
