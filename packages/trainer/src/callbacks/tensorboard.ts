import { trueOrFalse, wholeFromZero } from "@convkit/errors";
import { join } from "@convkit/files/system";
import { FileError } from "@convkit/files";
import { fieldProblems, type Fields, throwProblems } from "../checks/fields.ts";
import { healthEvents } from "../health/health-events.ts";
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
  /**
   * Called with the error if events cannot be written, for example on a full disk: they are left out, and the training goes on. By default
   * the training ends with that error.
   */
  readonly onError?: ((error: Error) => void) | undefined;
}

const fields: Fields<TensorBoardOptions> = {
  folder: ["a path", (value) => typeof value === "string"],
  histograms: wholeFromZero,
  everySteps: wholeFromZero,
  graph: trueOrFalse,
  images: wholeFromZero,
  onError: ["a function", (value) => typeof value === "function"],
};

/**
 * Writes scalars, weight histograms, sheets of images and the model's graph for TensorBoard, with Keras' folders and
 * tags; and the norms of steps that `trainingHealth` measures, under `health/`. A resumed run first removes the events that a killed process wrote after its checkpoint. Throws `TrainerError`
 * for invalid options; without `onError` the training ends with a `FileError` if events cannot be written.
 */
export function tensorBoard(options: TensorBoardOptions = {}): Callback {
  throwProblems(fieldProblems("tensorBoard", options, fields));
  const { histograms = 0, everySteps = 0, graph = true, images = 25, onError } = options;
  let folder = options.folder ?? "tensorboard";
  const files: { train?: EventFile; validation?: EventFile } = {};
  let epochs = 0;
  const fileOf = async (part: "train" | "validation") => (files[part] ??= await openEventFile(join(folder, part)));
  const attempt = async (write: () => Promise<void>) => {
    try {
      await write();
    } catch (error) {
      if (onError === undefined || !(error instanceof FileError)) throw error;
      onError(error);
    }
  };
  return {
    async onTrainBegin(training) {
      folder = options.folder ?? join(training.out ?? ".", "tensorboard");
      const isResumed = training.step > 0;
      await attempt(async () => {
        if (isResumed)
          for (const part of ["train", "validation"])
            await trimEventFiles(join(folder, part), (event) => isBefore(event, training));
        for (const part of ["train", "validation"] as const) await fileOf(part);
      });
      if (graph && !isResumed) await attempt(async () => (await fileOf("train")).graph(modelGraph(training.model)));
      const first = images === 0 || isResumed ? undefined : await training.firstBatchSheet(images);
      if (first !== undefined) await attempt(async () => (await fileOf("train")).images(0, { first_batch: first }));
    },
    async onTrainBatchEnd(_batch, logs, training) {
      const { health } = logs;
      if (health !== undefined) {
        const { scalars, histograms: gradients } = healthEvents(health);
        await attempt(async () => {
          await (await fileOf("train")).scalars(training.step, scalars);
          if (gradients !== undefined) await (await fileOf("train")).histograms(training.step, gradients);
        });
      }
      if (everySteps === 0 || training.step % everySteps !== 0) return;
      const values = known({ batch_loss: logs.loss, batch_accuracy: logs.accuracy, batch_learning_rate: logs.lr });
      await attempt(async () => (await fileOf("train")).scalars(training.step, values));
    },
    async onEpochEnd(epoch, logs, training) {
      // Keras counts epochs from 0.
      const step = epoch - 1;
      epochs = step;
      const { loss, accuracy, lr, valLoss, valAccuracy } = logs;
      await attempt(async () => {
        const metrics = Object.entries(logs.metrics ?? {});
        const ofTraining = metrics.filter(([name]) => !name.startsWith("val_"));
        const ofValidation = metrics.filter(([name]) => name.startsWith("val_"));
        await (
          await fileOf("train")
        ).scalars(
          step,
          known({ epoch_loss: loss, epoch_accuracy: accuracy, epoch_learning_rate: lr, ...tagged(ofTraining) }),
        );
        if (valLoss !== undefined)
          await (
            await fileOf("validation")
          ).scalars(step, known({ epoch_loss: valLoss, epoch_accuracy: valAccuracy, ...tagged(ofValidation) }));
        if (histograms > 0 && epoch % histograms === 0)
          await (await fileOf("train")).histograms(step, await weightValues(training));
      });
    },
    async onTrainEnd(training) {
      const worst = images === 0 ? undefined : await training.mistakesSheet(images);
      if (worst === undefined) return;
      await attempt(async () => (await fileOf("validation")).images(epochs, { worst_mistakes: worst }));
    },
  };
}

/**
 * True if an event was written before the step at which a run resumes. Sheets of mistakes do not count: they are drawn
 * again at the end.
 */
function isBefore({ step, tags }: EventSummary, training: Training): boolean {
  if (tags.includes("worst_mistakes")) return false;
  const isOfStep = tags.some((tag) => /^(batch_|health\/)/.test(tag));
  const isOfNone = tags.length === 0 || tags.includes("graph") || tags.includes("first_batch");
  return isOfNone || (isOfStep ? step <= training.step : step < training.epoch);
}

/** Metrics by their tags, without the `val_` of validation. */
function tagged(metrics: readonly (readonly [string, number])[]): Record<string, number> {
  return Object.fromEntries(metrics.map(([name, value]) => [`epoch_${name.replace(/^val_/, "")}`, value]));
}

/** The values that are there. */
function known(values: Readonly<Record<string, number | undefined>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, number] => entry[1] !== undefined),
  );
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
