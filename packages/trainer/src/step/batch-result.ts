import type { Values } from "@convkit/graph";
import type { StepHealth } from "../health/step-health.ts";
import type { ImageWeights } from "../objective/class-weights.ts";

/** The mean loss of a batch, the number of its correctly classified images, and what the metrics need; over all workers. */
export interface BatchResult {
  readonly loss: number;
  readonly correct: number;
  /** The number of images. */
  readonly images: number;
  /** True if a worker asks to end the run; false in a run of one process. */
  readonly asked: boolean;
  /** What the metrics need, one list for each worker's part of the batch. */
  readonly statistics: readonly (readonly Values[])[];
  /** The step's norms, if it was measured. */
  readonly health?: StepHealth | undefined;
}

/** The inputs of the steps for some batches, besides the batches. */
export interface TrainCall {
  /** The learning rate of each batch's step. */
  readonly learningRates: readonly number[];
  /** For each output, factors for the loss of each image in a batch; undefined if all are 1. */
  readonly weights: ImageWeights;
  /** Whether this worker asks the others to end the run after these steps; false by default. */
  readonly asks?: boolean | undefined;
  /** Whether the step of a batch is measured; none by default. */
  readonly isMeasured?: ((place: number) => boolean) | undefined;
}
