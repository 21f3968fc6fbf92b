import type { Callback } from "./callback.ts";
import type { JsonValue } from "@convkit/files";
import { checkPlateau } from "../plan/plan-checks.ts";
import { checkMonitor, improves, type Monitor, watched, worst } from "../run/monitor.ts";

export interface PlateauOptions {
  readonly monitor?: Monitor;
  readonly factor?: number;
  /** Epochs without improvement before the rate falls. */
  readonly patience?: number;
  readonly minDelta?: number;
  /** Epochs after a fall in which nothing is counted. */
  readonly cooldown?: number;
  readonly minLearningRate?: number;
}

/** Multiplies the learning rate by `factor` when the watched value stands still, as Keras' ReduceLROnPlateau. */
export function reduceOnPlateau(options: PlateauOptions = {}): Callback {
  checkPlateau(options);
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
      const saved = state as { best: number | null; waited: number; cooling: number };
      best = saved.best ?? worst(monitor);
      waited = saved.waited;
      cooling = saved.cooling;
    },
  };
}
