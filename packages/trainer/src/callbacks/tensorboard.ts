import { join } from "node:path";
import { fieldProblems, type Fields, throwProblems, trueOrFalse, wholeFromZero } from "../checks/fields.ts";
import type { Callback, Training } from "./callback.ts";
import { type EventFile, openEventFile } from "../tensorboard/event-file.ts";
import type { EventSummary } from "../tensorboard/messages.ts";
import { modelGraph } from "../tensorboard/model-graph.ts";
import { trimEventFiles } from "../tensorboard/trim-event-files.ts";

/** What `tensorBoard` writes, and where. */
export interface TensorBoardOptions {
  /** `tensorboard/` of the run directory by default. */
  readonly folder?: string | undefined;
  /** Epochs between histograms of all weights; 0, the default, writes none. */
  readonly histograms?: number | undefined;
  /** Steps between scalars within an epoch; 0, the default, writes one per epoch. */
  readonly everySteps?: number | undefined;
  /** Whether the model's graph is written; true by default. */
  readonly graph?: boolean | undefined;
  /**
   * Number of images on the sheets of the first augmented batch and, at the end, of the worst mistakes; 25 by default,
   * 0 for no sheets.
   */
  readonly images?: number | undefined;
}

const fields: Fields<TensorBoardOptions> = {
  folder: ["a path", (value) => typeof value === "string"],
  histograms: wholeFromZero,
  everySteps: wholeFromZero,
  graph: trueOrFalse,
  images: wholeFromZero,
};

/**
 * Writes scalars, weight histograms, sheets of images and the model's graph for TensorBoard, with Keras' folders and
 * tags. A resumed run first removes the events that a killed process wrote after its checkpoint. Throws `TrainerError`
 * for invalid options.
 */
export function tensorBoard(options: TensorBoardOptions = {}): Callback {
  throwProblems(fieldProblems("tensorBoard", options, fields));
  const { histograms = 0, everySteps = 0, graph = true, images = 25 } = options;
  let train: EventFile | undefined;
  let validation: EventFile | undefined;
  let epochs = 0;
  return {
    async onTrainBegin(training) {
      const folder = options.folder ?? join(training.out ?? ".", "tensorboard");
      const isResumed = training.step > 0;
      if (isResumed)
        for (const part of ["train", "validation"])
          await trimEventFiles(join(folder, part), (event) => isBefore(event, training));
      train = await openEventFile(join(folder, "train"));
      validation = await openEventFile(join(folder, "validation"));
      if (graph && !isResumed) await train.graph(modelGraph(training.model));
      const first = images === 0 || isResumed ? undefined : await training.firstBatchSheet(images);
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

/**
 * True if an event was written before the step at which a run resumes. Sheets of mistakes do not count: they are drawn
 * again at the end.
 */
function isBefore({ step, tags }: EventSummary, training: Training): boolean {
  if (tags.includes("worst_mistakes")) return false;
  const isOfStep = tags.some((tag) => tag.startsWith("batch_"));
  const isOfNone = tags.length === 0 || tags.includes("graph") || tags.includes("first_batch");
  return isOfNone || (isOfStep ? step <= training.step : step < training.epoch);
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
