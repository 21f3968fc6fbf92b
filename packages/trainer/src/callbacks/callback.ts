import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { EpochLogs } from "../run/history.ts";
import type { HealthRequest, StepHealth } from "../health/step-health.ts";
import type { JsonValue } from "@convkit/files";
import type { Monitor } from "../run/monitor.ts";
import type { Picture } from "../tensorboard/event-file.ts";

/** A running training, as callbacks see it. They may scale the learning rate and stop the run. */
export interface Training {
  readonly model: LayersModel;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  /** The values that each epoch has: those of validation only with validation data, metrics by their columns. */
  readonly monitors: readonly Monitor[];
  /** The monitors of which lower values are better; the losses if missing. */
  readonly lowerIsBetter?: readonly Monitor[] | undefined;
  /** Images per epoch. */
  readonly images: number;
  /** The run directory, if there is one. */
  readonly out: string | undefined;
  /** Finished epochs, including those before a resume. */
  readonly epoch: number;
  /** Finished steps, including those before a resume. */
  readonly step: number;
  /** The learning rate of the next step. */
  readonly learningRate: number;
  /** Multiplies the schedule's learning rate from the next step on. */
  scaleLearningRate(factor: number): void;
  /** Ends the run after this step or epoch; the trained weights are kept. */
  stop(reason: string): void;
  readonly stopReason: string | undefined;
  /** Aborts where the run is interrupted: it then ends after its step, and nothing may make it wait for long. */
  readonly signal: AbortSignal;
  /** Draws the first images of the first epoch on one sheet, augmented as in its first step. */
  firstBatchSheet(count: number): Promise<Picture | undefined>;
  /**
   * Draws the wrong predictions with the highest probability on one sheet. Uses the validation data, or else the
   * training data. Undefined if there are none, or if the run was interrupted.
   */
  mistakesSheet(count: number): Promise<Picture | undefined>;
  /** Makes the weights readable in `model`; during training they are in the engine. */
  syncWeights(): Promise<void>;
}

/** Means over the images seen so far in the epoch. */
export interface BatchLogs {
  readonly epoch: number;
  /** Finished batches of this epoch. */
  readonly batch: number;
  readonly size: number;
  /** The loss of this batch alone. */
  readonly stepLoss: number;
  readonly loss: number;
  /** The share of right classes; missing if the model tells no classes. */
  readonly accuracy?: number | undefined;
  readonly lr: number;
  readonly imagesPerSecond: number;
  /** Norms of gradients, activations and updates; missing in steps that no callback's `health` asks for. */
  readonly health?: StepHealth | undefined;
}

type Done = void | Promise<void>;

/**
 * Hooks into a training, named like Keras' callbacks; all are optional. If a callback's decisions depend on earlier
 * epochs, it has a `name`, and `state` and `restore` for checkpoints. Then a resumed run decides like an uninterrupted
 * one.
 */
export interface Callback {
  /** The name of the callback's state in checkpoints; without it, no state is kept. */
  readonly name?: string | undefined;
  /** The steps whose logs have `health`; without it, none. */
  readonly health?: HealthRequest | undefined;
  onTrainBegin?(training: Training): Done;
  onTrainEnd?(training: Training): Done;
  /** Called in place of `onTrainEnd` if the training ends with an error after it began, such as of its data or of a callback. */
  onTrainError?(error: unknown, training: Training): Done;
  onEpochBegin?(epoch: number, training: Training): Done;
  onEpochEnd?(epoch: number, logs: EpochLogs, training: Training): Done;
  onTrainBatchBegin?(batch: number, training: Training): Done;
  onTrainBatchEnd?(batch: number, logs: BatchLogs, training: Training): Done;
  onTestBegin?(training: Training): Done;
  onTestEnd?(logs: Pick<BatchLogs, "loss" | "accuracy">, training: Training): Done;
  onTestBatchBegin?(batch: number, training: Training): Done;
  onTestBatchEnd?(batch: number, training: Training): Done;
  state?(): JsonValue;
  restore?(state: JsonValue): void;
}
