import type { IndexedDataset } from "@convkit/datasets";
import type { TrainOptions } from "@convkit/trainer";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { TrainingJob } from "./compute.ts";

/** Tells the reader what is done now, and how much of it is over, from 0 to 1. */
export type Tell = (doing: string, share: number) => void;

/** The pictures of a job as pixels `[h, w, 3]`, 0 to 255. */
export interface Pictures {
  readonly data: IndexedDataset;
  readonly validation: IndexedDataset | undefined;
}

/** A network that can be taught. */
export interface Teachable {
  /** The sides of its pictures, in pixels. */
  readonly size: number;
  prepare(job: TrainingJob, pictures: Pictures, tell: Tell, signal: AbortSignal): Promise<Lesson>;
}

/** What is trained for a job, and what comes of it. */
export interface Lesson extends Pictures {
  readonly model: LayersModel;
  readonly options: Pick<TrainOptions, "preprocessing" | "augment">;
  /** The network that takes pictures, with its metadata, once `model` is trained and no longer needed. */
  whole(): LayersModel;
}
