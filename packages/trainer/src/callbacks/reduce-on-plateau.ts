import { betweenZeroAndOne, fromZero, wholeFromZero } from "@convkit/errors";
import { fieldProblems, type Fields, throwProblems } from "../checks/fields.ts";
import type { JsonValue } from "@convkit/files";
import { checkMonitor, isLowerBetter, knownMonitor, type Monitor } from "../run/monitor.ts";
import { Patience } from "../run/patience.ts";
import type { Callback } from "./callback.ts";

/** When `reduceOnPlateau` lowers the learning rate, and by how much. */
export interface PlateauOptions {
  /** The watched value; `valLoss` by default. */
  readonly monitor?: Monitor | undefined;
  /** Factor on the learning rate; 0.1 by default. */
  readonly factor?: number | undefined;
  /** Epochs without improvement before the rate falls; 10 by default. */
  readonly patience?: number | undefined;
  /** The smallest change that counts as an improvement; 1e-4 by default. */
  readonly minDelta?: number | undefined;
  /** Epochs after a reduction in which nothing is counted; 0 by default. */
  readonly cooldown?: number | undefined;
  /** The rate never falls below this; 0 by default. */
  readonly minLearningRate?: number | undefined;
}

const fields: Fields<PlateauOptions> = {
  monitor: ["a name", (value) => typeof value === "string"],
  factor: betweenZeroAndOne,
  patience: wholeFromZero,
  minDelta: fromZero,
  cooldown: wholeFromZero,
  minLearningRate: fromZero,
};

/** One sentence for each invalid option; `metrics` are the names of the metrics that may be watched. */
export function plateauProblems(options: PlateauOptions | undefined, metrics: readonly string[]): string[] {
  return fieldProblems("reduceOnPlateau", options, { ...fields, monitor: knownMonitor(metrics) });
}

/**
 * Multiplies the learning rate by `factor` when the watched value stops improving, like Keras' ReduceLROnPlateau.
 * Throws `TrainerError` for invalid options.
 */
export function reduceOnPlateau(options: PlateauOptions = {}): Callback {
  throwProblems(fieldProblems("reduceOnPlateau", options, fields));
  const {
    monitor = "valLoss",
    factor = 0.1,
    patience = 10,
    minDelta = 1e-4,
    cooldown = 0,
    minLearningRate = 0,
  } = options;
  const epochs = new Patience(monitor, minDelta);
  let cooling = 0;
  return {
    name: "reduce-on-plateau",
    onTrainBegin(training) {
      checkMonitor(monitor, training.monitors);
      epochs.begin(isLowerBetter(monitor, training.lowerIsBetter));
    },
    onEpochEnd(_epoch, logs, training) {
      if (cooling > 0) {
        cooling -= 1;
        epochs.waited = 0;
      }
      epochs.count(logs);
      if (cooling > 0) epochs.waited = 0;
      if (epochs.waited === 0 || epochs.waited < patience || training.learningRate <= minLearningRate) return;
      training.scaleLearningRate(Math.max(factor, minLearningRate / training.learningRate));
      cooling = cooldown;
      epochs.waited = 0;
    },
    state: () => ({ ...epochs.state(), cooling }),
    restore(state: JsonValue) {
      epochs.restore("reduce-on-plateau", state, { cooling: wholeFromZero });
      ({ cooling } = state as { cooling: number });
    },
  };
}
