import { scheduleFactor } from "../optimization/schedules.ts";
import type { JsonValue } from "@convkit/files";
import type { EpochLogs } from "../run/history.ts";
import type { Settings } from "./settings.ts";
import type { RunResult } from "./train-options.ts";

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
  /** The pass over the training data that the batch is from, counted from 0. */
  readonly pass: number;
  /** The batch's index in its pass; batches without a readable image keep their index. */
  readonly place: number | undefined;
}

/** The state of a run in checkpoints, besides its weights. */
export interface SavedRunState {
  readonly step: number;
  readonly epoch: number;
  readonly batchesDone: number;
  readonly batchesTaken: number;
  /** Missing in checkpoints of versions in which each epoch was a pass. */
  readonly pass?: number | undefined;
  readonly sums: Sums;
  readonly lastLearningRate: number;
  readonly rateFactor: number;
  readonly history: readonly EpochLogs[];
  /** Missing without `swa`. */
  readonly averaged?: number | undefined;
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
  /** The pass over the training data of the last finished step, counted from 0; an epoch is a pass unless its steps are given. */
  pass = 0;
  /** Batches of that pass that were read, including batches without a readable image. */
  batchesTaken = 0;
  sums: Sums = noSums;
  /** The learning rate of the last finished step. */
  lastLearningRate = 0;
  /** Finished epochs whose weights are in the mean of `swa`. */
  averaged = 0;
  /** The validation of the model with the mean of its weights. */
  swa: RunResult["swa"];
  stopReason: string | undefined;
  /** True if a loss was not finite. */
  diverged = false;
  /** What computed the last validation, if it was not the engine in use. */
  validationRuntime: string | undefined;
  #rateFactor = 1;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.stepsPerEpoch = settings.stepsPerEpoch ?? Math.ceil(settings.data.train.size / settings.batch);
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
  endStep({ images, loss, correct, learningRate, pass, place }: DoneStep): void {
    const { sums } = this;
    this.lastLearningRate = learningRate;
    this.step += 1;
    this.batchesDone += 1;
    this.batchesTaken = (place ?? (pass === this.pass ? this.batchesTaken : 0)) + 1;
    this.pass = pass;
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
    if (this.#settings.stepsPerEpoch === undefined) {
      this.pass = this.epoch;
      this.batchesTaken = 0;
    }
    this.sums = noSums;
    this.history = [...this.history, logs];
  }

  saved(): SavedRunState {
    const { step, epoch, batchesDone, batchesTaken, pass, sums, lastLearningRate, history } = this;
    const counters = { step, epoch, batchesDone, batchesTaken, pass, sums, lastLearningRate };
    const averaged = this.#settings.swa === undefined ? {} : { averaged: this.averaged };
    return { ...counters, ...averaged, rateFactor: this.#rateFactor, history };
  }

  restore({ rateFactor, ...counters }: Omit<SavedRunState, "metrics">): void {
    this.#rateFactor = rateFactor;
    Object.assign(this, { ...counters, pass: counters.pass ?? counters.epoch });
  }
}
