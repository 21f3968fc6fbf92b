import type { Timings } from "./train-options.ts";

/** The clock's state in checkpoints. */
export interface ClockState {
  /** Images of all training calls. */
  readonly images: number;
  readonly measured: {
    readonly seconds: number;
    readonly secondsInEpoch: number;
    readonly timings: Timings;
    /** Images of each process' first call. */
    readonly imagesInFirst: number;
  };
}

/** Measures how a run spends its time, over all its processes. */
export class RunClock {
  readonly timings = { first: 0, step: 0, data: 0, validation: 0, callbacks: 0 };
  readonly #began = performance.now();
  #epochBegan = performance.now();
  #hasFirst = false;
  #secondsBefore = 0;
  #secondsInEpochBefore = 0;
  #images = 0;
  #imagesInFirst = 0;

  get seconds(): number {
    return this.#secondsBefore + secondsSince(this.#began);
  }

  get secondsInEpoch(): number {
    return this.#secondsInEpochBefore + secondsSince(this.#epochBegan);
  }

  /** Includes waiting for data. Includes first calls, which compile, only if there are no other calls. */
  get imagesPerSecond(): number {
    const { first, step, data } = this.timings;
    if (step === 0) return first === 0 ? 0 : this.#imagesInFirst / first;
    return (this.#images - this.#imagesInFirst) / (step + data);
  }

  beginEpoch(): void {
    this.#epochBegan = performance.now();
  }

  endEpoch(): void {
    this.#secondsInEpochBefore = 0;
  }

  /** Adds the seconds of a training call. */
  endCall(images: number, seconds: number): void {
    this.#images += images;
    if (this.#hasFirst) {
      this.timings.step += seconds;
      return;
    }
    this.#hasFirst = true;
    this.timings.first += seconds;
    this.#imagesInFirst += images;
  }

  /** Runs `work` and adds its seconds to one of the timings. */
  async timed<T>(kind: keyof Timings, work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      this.timings[kind] += secondsSince(began);
    }
  }

  state(isInEpoch: boolean): ClockState {
    return {
      images: this.#images,
      measured: {
        seconds: this.seconds,
        secondsInEpoch: isInEpoch ? this.secondsInEpoch : 0,
        timings: { ...this.timings },
        imagesInFirst: this.#imagesInFirst,
      },
    };
  }

  restore({ images, measured }: ClockState): void {
    this.#images = images;
    this.#secondsBefore = measured.seconds;
    this.#secondsInEpochBefore = measured.secondsInEpoch;
    Object.assign(this.timings, measured.timings);
    this.#imagesInFirst = measured.imagesInFirst;
  }
}

function secondsSince(began: number): number {
  return (performance.now() - began) / 1000;
}
