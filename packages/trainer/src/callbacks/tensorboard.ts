import { join } from "node:path";
import type { Callback, Training } from "./callback.ts";
import { type EventFile, openEventFile } from "../tensorboard/event-file.ts";
import { modelGraph } from "../tensorboard/model-graph.ts";

export interface TensorBoardOptions {
  /** Where to write; `tensorboard/` of the run directory unless given. */
  readonly folder?: string;
  /** Histograms of all weights every so many epochs; 0 for none. */
  readonly histograms?: number;
  /** Scalars of every so many steps as well; 0 for epochs only. */
  readonly everySteps?: number;
  readonly graph?: boolean;
  /** How many images the sheets of the first augmented batch and, at the end, of the worst mistakes show; 0 for none. */
  readonly images?: number;
}

/** Writes scalars, weight histograms, sheets of images and the model's graph for TensorBoard, in the folders and with the tags that Keras uses. */
export function tensorBoard(options: TensorBoardOptions = {}): Callback {
  const { histograms = 0, everySteps = 0, graph = true, images = 25 } = options;
  let train: EventFile | undefined;
  let validation: EventFile | undefined;
  let epochs = 0;
  return {
    async onTrainBegin(training) {
      const folder = options.folder ?? join(training.out ?? ".", "tensorboard");
      train = await openEventFile(join(folder, "train"));
      validation = await openEventFile(join(folder, "validation"));
      if (graph) await train.graph(modelGraph(training.model));
      const first = images === 0 ? undefined : await training.firstBatchSheet(images);
      if (first !== undefined) await train.images(0, { first_batch: first });
    },
    async onTrainBatchEnd(_batch, logs, training) {
      if (everySteps === 0 || training.step % everySteps !== 0) return;
      await train?.scalars(training.step, {
        batch_loss: logs.loss,
        batch_accuracy: logs.accuracy,
        batch_learning_rate: logs.lr,
      });
    },
    async onEpochEnd(epoch, logs, training) {
      // Keras counts epochs from 0.
      const step = epoch - 1;
      epochs = step;
      await train?.scalars(step, {
        epoch_loss: logs.loss,
        epoch_accuracy: logs.accuracy,
        epoch_learning_rate: logs.lr,
      });
      if (logs.valLoss !== undefined && logs.valAccuracy !== undefined)
        await validation?.scalars(step, { epoch_loss: logs.valLoss, epoch_accuracy: logs.valAccuracy });
      if (histograms > 0 && epoch % histograms === 0) await train?.histograms(step, await weightValues(training));
    },
    async onTrainEnd(training) {
      const worst = images === 0 ? undefined : await training.mistakesSheet(images);
      if (worst !== undefined) await validation?.images(epochs, { worst_mistakes: worst });
    },
  };
}

async function weightValues(training: Training): Promise<Record<string, ArrayLike<number>>> {
  await training.syncWeights();
  const values: Record<string, ArrayLike<number>> = {};
  for (const weight of training.model.weights) {
    const name = (weight.originalName ?? weight.name).replaceAll(".", "/");
    values[name] = await weight.read().data<"float32">();
  }
  return values;
}
