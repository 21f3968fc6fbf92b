import { trueOrFalse, wholeFromOne } from "@convkit/errors";
import { existsSync } from "@convkit/files/system";
import { FileError } from "@convkit/files";
import { fieldProblems, type Fields, throwProblems } from "../checks/fields.ts";
import { readHealth, writeHealth } from "../health/health-file.ts";
import type { HealthRecord } from "../health/step-health.ts";
import { runDirectory } from "../run/run-directory.ts";
import type { Callback, Training } from "./callback.ts";

/** How often `trainingHealth` measures, and what. */
export interface TrainingHealthOptions {
  /** Steps between two measurements; 100 by default. The first step is measured, too. */
  readonly every?: number | undefined;
  /** Whether `tensorBoard` writes histograms of the gradients of the measured steps; false by default. */
  readonly histograms?: boolean | undefined;
  /**
   * Called with the error if `health.json` cannot be written, for example on a full disk; the training then goes on. By default the
   * training ends with that error.
   */
  readonly onError?: ((error: Error) => void) | undefined;
}

/** The callback with the steps that it has measured. */
export interface TrainingHealth extends Callback {
  readonly records: readonly HealthRecord[];
}

const fields: Fields<TrainingHealthOptions> = {
  every: wholeFromOne,
  histograms: trueOrFalse,
  onError: ["a function", (value) => typeof value === "function"],
};

/**
 * Measures every hundredth step inside its graph: norms of gradients, weights and updates of each weight, mean, deviation and norm of
 * each activation, and the share of ReLU units that are zero for all images of the batch. With a run directory the numbers are in its
 * `health.json`, and `tensorBoard` writes them, too. A measured step computes the same numbers as another, up to rounding. In several
 * workers the activations are those of each worker's own images, and the rest is that of all. Throws `TrainerError` for invalid options.
 */
export function trainingHealth(options: TrainingHealthOptions = {}): TrainingHealth {
  throwProblems(fieldProblems("trainingHealth", options, fields));
  const { every = 100, histograms = false, onError } = options;
  let records: HealthRecord[] = [];
  const write = async ({ out }: Training): Promise<void> => {
    if (out === undefined) return;
    try {
      await writeHealth(runDirectory(out).health, records);
    } catch (error) {
      if (onError === undefined || !(error instanceof FileError)) throw error;
      onError(error);
    }
  };
  return {
    health: { every, gradients: histograms },
    get records() {
      return records;
    },
    async onTrainBegin({ out, step: done }) {
      records = [];
      if (out === undefined || done === 0 || !existsSync(runDirectory(out).health)) return;
      // A killed process may have measured steps after its last checkpoint.
      records = (await readHealth(runDirectory(out).health)).filter(({ step }) => step <= done);
    },
    onTrainBatchEnd(_batch, { epoch, stepLoss, health }, { step }) {
      if (health === undefined) return;
      const { weights, activations } = health;
      records.push({ step, epoch, loss: stepLoss, weights, activations });
    },
    onEpochEnd: (_epoch, _logs, training) => write(training),
    onTrainEnd: (training) => write(training),
  };
}
