import type { Batch, DataSplits } from "@convkit/datasets";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { traceBadLoss } from "../step/non-finite-loss.ts";
import type { joinCallbacks, Training } from "../callbacks/callback.ts";
import type { ExecutionOptions } from "@convkit/graph";
import type { EpochLogs } from "../run/history.ts";
import type { JsonValue } from "@convkit/files";
import { type Monitor, monitors } from "../run/monitor.ts";
import type { Runner } from "../step/step-runner.ts";
import { firstBatchSheet, mistakesSheet } from "./sample-images.ts";
import { type Schedule, scheduleFactor } from "../optimization/schedules.ts";
import type { StepParts } from "../step/training-loss.ts";
import type { Picture } from "../tensorboard/event-file.ts";

/** What a session is begun with. */
export interface SessionParts {
  readonly step: StepParts;
  readonly data: DataSplits;
  readonly epochs: number;
  readonly batch: number;
  readonly stepsPerCall: number;
  readonly seed: number;
  readonly execution: ExecutionOptions;
  readonly runner: Runner;
  readonly hooks: ReturnType<typeof joinCallbacks>;
  readonly weighting: (batch: Batch) => Float32Array | undefined;
  readonly baseLearningRate: number;
  readonly schedule: Schedule;
  readonly out: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Sums over the images of an epoch. */
interface Sums {
  loss: number;
  correct: number;
  images: number;
}

/** What of a session a checkpoint keeps beside the weights. */
export interface SessionState {
  readonly step: number;
  readonly epoch: number;
  readonly batchesDone: number;
  /** Missing in checkpoints of older versions. */
  readonly batchesTaken?: number;
  readonly sums: Sums;
  readonly secondsInEpoch: number;
  readonly lastLearningRate: number;
  readonly scale: number;
  readonly history: readonly EpochLogs[];
  readonly callbacks: Readonly<Record<string, JsonValue>>;
}

/** A training as it stands: what changes from step to step, and what callbacks may do to it. */
export class Session implements Training {
  readonly parts: SessionParts;
  readonly history: EpochLogs[] = [];
  readonly timings = { first: 0, step: 0, data: 0, validation: 0, callbacks: 0 };
  readonly stepsPerEpoch: number;
  /** Steps done, over all epochs. */
  step = 0;
  /** Epochs done. */
  epoch = 0;
  /** Steps done of the epoch under way. */
  batchesDone = 0;
  /** Batches that went into these steps, or of which no image could be read. */
  batchesTaken = 0;
  sums: Sums = { loss: 0, correct: 0, images: 0 };
  stopReason: string | undefined;
  /** Whether a loss was not finite. */
  diverged = false;
  /** The rate of the last step done. */
  lastLearningRate = 0;
  #scale = 1;
  #imagesInFirst = 0;
  #imagesDone = 0;
  #secondsInEpoch = 0;
  #epochBegan = 0;

  constructor(parts: SessionParts) {
    this.parts = parts;
    this.stepsPerEpoch = Math.ceil(parts.data.train.size / parts.batch);
  }

  get model(): LayersModel {
    return this.parts.step.model;
  }

  get epochs(): number {
    return this.parts.epochs;
  }

  get monitors(): readonly Monitor[] {
    return monitors.filter((each) => this.parts.data.validation !== undefined || !each.startsWith("val"));
  }

  get images(): number {
    return this.parts.data.train.size;
  }

  get out(): string | undefined {
    return this.parts.out;
  }

  get interrupted(): boolean {
    return this.parts.signal?.aborted ?? false;
  }

  get learningRate(): number {
    return this.learningRateIn(0);
  }

  /** The rate of the step that is so many steps ahead of the next one, as the schedule has it. */
  learningRateIn(steps: number): number {
    const { baseLearningRate, schedule, epochs } = this.parts;
    const progress = { step: this.step + steps, stepsPerEpoch: this.stepsPerEpoch, epochs };
    return this.#scale * baseLearningRate * scheduleFactor(schedule, progress);
  }

  /** Images a second of this process' steps, waiting for data counted in; without the first call where there are others. */
  get imagesPerSecond(): number {
    const { first, step, data } = this.timings;
    if (step === 0) return first === 0 ? 0 : this.#imagesInFirst / first;
    return this.#imagesDone / (step + data);
  }

  scaleLearningRate(factor: number): void {
    this.#scale *= factor;
  }

  stop(reason: string): void {
    this.stopReason ??= reason;
  }

  firstBatchSheet(count: number): Promise<Picture | undefined> {
    const { step, data, seed, execution } = this.parts;
    return firstBatchSheet(step, data.train, { count, seed, execution });
  }

  mistakesSheet(count: number): Promise<Picture | undefined> {
    const { step, data, execution } = this.parts;
    return mistakesSheet(step, data.validation ?? data.train, { count, execution });
  }

  /** Stops since a batch's loss is not finite, and says where in the model that began. */
  async diverge(batches: readonly Batch[]): Promise<void> {
    const { place, where } = await traceBadLoss(this.parts.step, batches, this.parts.execution);
    this.diverged = true;
    const [first, last] = [this.step + 1, this.step + batches.length];
    const which = place === undefined ? `one of the steps ${first} to ${last}` : `step ${first + place}`;
    this.stop(`the loss of ${which} is not finite: ${where}`);
  }

  syncWeights(): Promise<void> {
    return this.parts.runner.sync();
  }

  beginEpoch(): void {
    this.#epochBegan = performance.now();
  }

  /** Counts the seconds of a call; the first one of a process makes the graph, which says nothing about the others. */
  endCall(images: number, seconds: number): void {
    if (this.timings.first === 0) {
      this.timings.first = seconds;
      this.#imagesInFirst = images;
    } else {
      this.timings.step += seconds;
      this.#imagesDone += images;
    }
  }

  /** Counts a step that was done. */
  endStep(images: number, loss: number, correct: number, learningRate: number, place = this.batchesTaken): void {
    this.lastLearningRate = learningRate;
    this.step += 1;
    this.batchesDone += 1;
    this.batchesTaken = place + 1;
    this.sums.loss += loss * images;
    this.sums.correct += correct;
    this.sums.images += images;
  }

  /** Counts the epoch as done and gives its seconds. */
  endEpoch(): number {
    const seconds = this.#seconds();
    this.epoch += 1;
    this.batchesDone = 0;
    this.batchesTaken = 0;
    this.sums = { loss: 0, correct: 0, images: 0 };
    this.#secondsInEpoch = 0;
    return seconds;
  }

  /** Does something and adds its seconds to one of the timings. */
  async timed<T>(kind: keyof Session["timings"], work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      this.timings[kind] += (performance.now() - began) / 1000;
    }
  }

  state(): SessionState {
    return {
      step: this.step,
      epoch: this.epoch,
      batchesDone: this.batchesDone,
      batchesTaken: this.batchesTaken,
      sums: { ...this.sums },
      secondsInEpoch: this.batchesDone === 0 ? 0 : this.#seconds(),
      lastLearningRate: this.lastLearningRate,
      scale: this.#scale,
      history: [...this.history],
      callbacks: this.parts.hooks.state(),
    };
  }

  restore(state: SessionState): void {
    this.step = state.step;
    this.epoch = state.epoch;
    this.batchesDone = state.batchesDone;
    this.batchesTaken = state.batchesTaken ?? state.batchesDone;
    this.sums = { ...state.sums };
    this.#secondsInEpoch = state.secondsInEpoch;
    this.lastLearningRate = state.lastLearningRate;
    this.#scale = state.scale;
    this.history.splice(0, this.history.length, ...state.history);
    this.parts.hooks.restore(state.callbacks);
  }

  #seconds(): number {
    return this.#secondsInEpoch + (performance.now() - this.#epochBegan) / 1000;
  }
}
