import { allReduce, hyper, type Values, type Worker } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { withSynchronizedNorms } from "../model/synchronized-norms.ts";
import { imageMean } from "../optimization/image-mean.ts";

/** What one worker computes of its part of a batch: means over its images, sums of right classes, what the metrics need. */
export interface OwnStep {
  readonly loss: tf.Tensor;
  readonly correct: tf.Tensor;
  readonly statistics: readonly tf.Tensor[];
}

/** What the workers do together inside a step. */
export interface WorkerStepOptions {
  /** The moving statistics of the norms that learn: each step gives all workers the mean of theirs. */
  readonly norms: readonly tf.Variable[];
  /** Whether batch normalization takes its statistics over all workers. */
  readonly synchronizes: boolean;
  /** The most images that a worker has of a batch. */
  readonly most: number;
  /** Whether each of the metrics' tensors has one row an image. */
  readonly perImage: () => readonly boolean[];
}

/** Outputs of a step before what the metrics need. */
const headSize = 4;

/**
 * The part of a training or validation step that sums over all workers, inside the graph. Each worker's means count by its number of
 * images, so that the sums are those of one worker with the whole batch, however unevenly it is divided.
 */
export class WorkerStep {
  /** The number of images of this worker in the next step; 0 if the batch has too few for all, and an image stands in. */
  readonly images = hyper(1, "images");
  /** 1 if this worker asks to end the run after the next step. */
  readonly asks = hyper(0, "asks");
  readonly #worker: Worker;
  readonly #options: WorkerStepOptions;

  constructor(worker: Worker, options: WorkerStepOptions) {
    this.#worker = worker;
    this.#options = options;
  }

  /** Runs `fn`, which applies the model in training; its batch norms are synchronized if that was asked for. */
  forward<T>(model: LayersModel, fn: () => T): T {
    return this.#options.synchronizes ? withSynchronizedNorms(model, this.images.read() as tf.Scalar, fn) : fn();
  }

  /** Loss, right classes and gradients over all workers; `outputs` are those of the step, which `read` reads. */
  sum(
    { loss, correct, statistics }: OwnStep,
    gradients: tf.NamedTensorMap,
    {
      movesNorms,
      guard = (each) => each,
    }: { readonly movesNorms: boolean; readonly guard?: (loss: tf.Scalar) => tf.Scalar },
  ): { readonly outputs: tf.Tensor[]; readonly gradients: tf.NamedTensorMap } {
    const { norms, synchronizes } = this.#options;
    const images = this.images.read();
    const head = tf.stack([tf.mul(loss, images), tf.mul(correct, tf.minimum(images, 1)), images, this.asks.read()]);
    const present = Object.entries(gradients).filter(([, gradient]) => gradient != null);
    const moved = movesNorms && !synchronizes ? norms : [];
    const exact = [head, this.#placed(images), ...this.#placedStatistics(statistics)];
    const weighted = [...present.map(([, gradient]) => gradient), ...moved].map((each) => tf.mul(each, images));
    const all = allReduce<tf.Tensor>([...exact, ...weighted], { exact: (place) => place < exact.length });
    const [headSum, counts, ...statisticSums] = all.slice(0, exact.length);
    const sums = all.slice(exact.length);
    const [lossSum, correctSum, total, asked] = tf.unstack(headSum!) as tf.Scalar[];
    const mean = imageMean(total!);
    const summed = present.map(([name], place) => [name, mean(sums[place]!)] as const);
    for (const [place, variable] of moved.entries()) variable.assign(mean(sums[present.length + place]!));
    return {
      outputs: [guard(mean(lossSum!) as tf.Scalar), correctSum!, tf.stack([total!, asked!]), counts!, ...statisticSums],
      gradients: Object.fromEntries(summed),
    };
  }

  /** The results of a step from its outputs. */
  read([loss, correct, totals, counts, ...statistics]: readonly Values[]) {
    const [images, asked] = totals!.data;
    const perImage = this.#options.perImage();
    const parts = Array.from(counts!.data).flatMap((count, rank) =>
      count === 0
        ? []
        : [statistics.map((values, place) => partOf(values, rank, perImage[place]! ? count : undefined))],
    );
    return { loss: loss!.data[0]!, correct: correct!.data[0]!, images: images!, asked: asked! > 0, statistics: parts };
  }

  /** The number of outputs with so many tensors of the metrics. */
  outputs(statistics: number): number {
    return headSize + statistics;
  }

  /** A tensor at this worker's place among zeros for the others: `[...] -> [workers, ...]` */
  #placed(own: tf.Tensor): tf.Tensor {
    const { rank, count } = this.#worker;
    const rest = own.shape.map(() => [0, 0] as [number, number]);
    return tf.pad(tf.expandDims(own, 0), [[rank, count - 1 - rank], ...rest]);
  }

  #placedStatistics(statistics: readonly tf.Tensor[]): tf.Tensor[] {
    const perImage = this.#options.perImage();
    return statistics.map((each, place) => {
      if (!perImage[place]!) return this.#placed(each);
      const rest = each.shape.slice(1).map(() => [0, 0] as [number, number]);
      return this.#placed(tf.pad(each, [[0, this.#options.most - each.shape[0]!], ...rest]));
    });
  }
}

/** What one worker placed: `[workers, ...] -> [...]`, with `rows` rows if it has one an image. */
function partOf({ data, shape }: Values, rank: number, rows: number | undefined): Values {
  const [, ...own] = shape;
  const size = own.reduce((product, side) => product * side, 1);
  const from = rank * size;
  if (rows === undefined) return { data: data.subarray(from, from + size), shape: own };
  const row = size / own[0]!;
  return { data: data.subarray(from, from + rows * row), shape: [rows, ...own.slice(1)] };
}
