import {
  betweenZeroAndOne,
  fieldProblems,
  type Fields,
  fromZero,
  oneOf,
  throwProblems,
  wholeFromZero,
} from "../checks/fields.ts";
import { numberOrNull, storedProblems } from "../checks/stored.ts";
import type { JsonValue } from "@convkit/files";
import { checkMonitor, improves, type Monitor, monitors, watched, worst } from "../run/monitor.ts";
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
  monitor: oneOf(monitors),
  factor: betweenZeroAndOne,
  patience: wholeFromZero,
  minDelta: fromZero,
  cooldown: wholeFromZero,
  minLearningRate: fromZero,
};

/** One sentence for each invalid option. */
export function plateauProblems(options: PlateauOptions | undefined): string[] {
  return fieldProblems("reduceOnPlateau", options, fields);
}

/**
 * Multiplies the learning rate by `factor` when the watched value stops improving, like Keras' ReduceLROnPlateau.
 * Throws `TrainerError` for invalid options.
 */
export function reduceOnPlateau(options: PlateauOptions = {}): Callback {
  throwProblems(plateauProblems(options));
  const {
    monitor = "valLoss",
    factor = 0.1,
    patience = 10,
    minDelta = 1e-4,
    cooldown = 0,
    minLearningRate = 0,
  } = options;
  let best = worst(monitor);
  let waited = 0;
  let cooling = 0;
  return {
    name: "reduce-on-plateau",
    onTrainBegin: (training) => checkMonitor(monitor, training.monitors),
    onEpochEnd(_epoch, logs, training) {
      const value = watched(monitor, logs);
      if (cooling > 0) {
        cooling -= 1;
        waited = 0;
      }
      if (improves(monitor, value, best, minDelta)) {
        best = value;
        waited = 0;
      } else if (cooling === 0) {
        waited += 1;
        if (waited >= patience && training.learningRate > minLearningRate) {
          training.scaleLearningRate(Math.max(factor, minLearningRate / training.learningRate));
          cooling = cooldown;
          waited = 0;
        }
      }
    },
    state: () => ({ best: Number.isFinite(best) ? best : null, waited, cooling }),
    restore(state: JsonValue) {
      throwProblems(
        storedProblems("The checkpoint's state of reduce-on-plateau", state, {
          fields: { best: numberOrNull, waited: wholeFromZero, cooling: wholeFromZero },
        }),
      );
      const saved = state as { best: number | null; waited: number; cooling: number };
      best = saved.best ?? worst(monitor);
      waited = saved.waited;
      cooling = saved.cooling;
    },
  };
}
