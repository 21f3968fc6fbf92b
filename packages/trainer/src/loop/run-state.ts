import { scheduleFactor } from "../optimization/schedules.ts";
import type { JsonValue } from "@convkit/files";
import type { EpochLogs } from "../run/history.ts";
import type { Settings } from "./settings.ts";

/** Sums over the images of an epoch. */
export interface Sums {
  readonly loss: number;
  readonly correct: number;
  readonly images: number;
}

/** A finished step. */
export interface DoneStep {
  readonly images: number;
  readonly loss: number;
  readonly correct: number;
  readonly learningRate: number;
  /** The batch's index in the epoch; batches without a readable image keep their index. */
  readonly place: number | undefined;
}

/** The state of a run in checkpoints, besides its weights. */
export interface SavedRunState {
  readonly step: number;
  readonly epoch: number;
  readonly batchesDone: number;
  readonly batchesTaken: number;
  readonly sums: Sums;
  readonly lastLearningRate: number;
  readonly rateFactor: number;
  readonly history: readonly EpochLogs[];
  /** What the metrics have gathered in this epoch; missing if there is none. */
  readonly metrics?: JsonValue | undefined;
}

const noSums: Sums = { loss: 0, correct: 0, images: 0 };

/** The counters of a training, which change from step to step. */
export class RunState {
  readonly #settings: Settings;
  readonly stepsPerEpoch: number;
  history: readonly EpochLogs[] = [];
  /** Finished steps, over all epochs. */
  step = 0;
  /** Finished epochs. */
  epoch = 0;
  /** Finished steps of the current epoch. */
  batchesDone = 0;
  /** Batches of the current epoch that were read, including batches without a readable image. */
  batchesTaken = 0;
  sums: Sums = noSums;
  /** The learning rate of the last finished step. */
  lastLearningRate = 0;
  stopReason: string | undefined;
  /** True if a loss was not finite. */
  diverged = false;
  /** What computed the last validation, if it was not the engine in use. */
  validationRuntime: string | undefined;
  #rateFactor = 1;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.stepsPerEpoch = Math.ceil(settings.data.train.size / settings.batch);
  }

  /** The learning rate of the step that comes `ahead` steps after the next one. */
  learningRate(ahead = 0): number {
    const { optimizer, schedule, epochs } = this.#settings;
    const progress = { step: this.step + ahead, stepsPerEpoch: this.stepsPerEpoch, epochs };
    return this.#rateFactor * optimizer.learningRate * scheduleFactor(schedule, progress);
  }

  scaleLearningRate(factor: number): void {
    this.#rateFactor *= factor;
  }

  stop(reason: string): void {
    this.stopReason ??= reason;
  }

  /** Counts a finished step. */
  endStep({ images, loss, correct, learningRate, place = this.batchesTaken }: DoneStep): void {
    const { sums } = this;
    this.lastLearningRate = learningRate;
    this.step += 1;
    this.batchesDone += 1;
    this.batchesTaken = place + 1;
    this.sums = {
      loss: sums.loss + loss * images,
      correct: sums.correct + correct,
      images: sums.images + images,
    };
  }

  /** Counts a finished epoch. */
  endEpoch(logs: EpochLogs): void {
    this.epoch += 1;
    this.batchesDone = 0;
    this.batchesTaken = 0;
    this.sums = noSums;
    this.history = [...this.history, logs];
  }

  saved(): SavedRunState {
    const { step, epoch, batchesDone, batchesTaken, sums, lastLearningRate, history } = this;
    return { step, epoch, batchesDone, batchesTaken, sums, lastLearningRate, rateFactor: this.#rateFactor, history };
  }

  restore({ rateFactor, ...counters }: Omit<SavedRunState, "metrics">): void {
    this.#rateFactor = rateFactor;
    Object.assign(this, counters);
  }
}
