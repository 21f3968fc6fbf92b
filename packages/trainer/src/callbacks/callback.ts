import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { EpochLogs } from "../run/history.ts";
import type { JsonValue } from "@convkit/files";
import type { Monitor } from "../run/monitor.ts";
import type { Picture } from "../tensorboard/event-file.ts";

/** What callbacks see of a running training, and the two things they may change. */
export interface Training {
  readonly model: LayersModel;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  /** What an epoch is judged by: `valLoss` and `valAccuracy` only where there is validation data. */
  readonly monitors: readonly Monitor[];
  /** Images of one epoch. */
  readonly images: number;
  /** The run directory, where there is one. */
  readonly out: string | undefined;
  /** Steps done since the very first one, over resumes too. */
  readonly step: number;
  /** The rate of the next step, times what `scaleLearningRate` gathered. */
  readonly learningRate: number;
  /** Multiplies the schedule's learning rate from the next step on. */
  scaleLearningRate(factor: number): void;
  /** Ends the run after this step (or epoch), keeping all that was written. */
  stop(reason: string): void;
  readonly stopReason: string | undefined;
  /** The first images of the first epoch as its first step sees them, augmented, on one sheet. */
  firstBatchSheet(count: number): Promise<Picture | undefined>;
  /** The images, of the validation data if there is any, that the model is most sure about and wrong, on one sheet. */
  mistakesSheet(count: number): Promise<Picture | undefined>;
  /** Brings the weights back from the compiled step, so that `model` may be read. */
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
 * Hooks into a training, with the names of Keras' callbacks; all are optional. A callback whose decisions depend on the
 * past gives `name`, `state` and `restore`, so that a resumed run decides alike.
 */
export interface Callback {
  readonly name?: string;
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

/** One callback that calls each of `callbacks` in order, one after the other. */
export function joinCallbacks(callbacks: readonly Callback[]) {
  type Hook = Exclude<keyof Callback, "name" | "state" | "restore">;
  return {
    async call<H extends Hook>(hook: H, ...args: Parameters<NonNullable<Callback[H]>>): Promise<void> {
      for (const callback of callbacks) {
        const done = (callback[hook] as ((...all: unknown[]) => Done) | undefined)?.apply(callback, args);
        // Awaiting nothing would cost a turn of the event loop for each batch and hook.
        if (done !== undefined) await done;
      }
    },
    state(): Record<string, JsonValue> {
      const entries = callbacks.flatMap((each) =>
        each.name !== undefined && each.state ? [[each.name, each.state()] as const] : [],
      );
      return Object.fromEntries(entries);
    },
    restore(states: Record<string, JsonValue>): void {
      for (const callback of callbacks) {
        const state = callback.name === undefined ? undefined : states[callback.name];
        if (state !== undefined) callback.restore?.(state);
      }
    },
  };
}
