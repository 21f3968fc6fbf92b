import type { Callback, Training } from "./callback.ts";
import type { JsonValue } from "@convkit/files";
import { checkEarlyStopping } from "../plan/plan-checks.ts";
import { checkMonitor, improves, type Monitor, watched, worst } from "../run/monitor.ts";

export interface EarlyStoppingOptions {
  readonly monitor?: Monitor;
  /** Epochs without improvement before the run stops. */
  readonly patience?: number;
  readonly minDelta?: number;
  /** Epochs that are let pass before counting begins. */
  readonly startFrom?: number;
}

/** Stops when the watched value has not improved for `patience` epochs, as Keras' EarlyStopping. */
export function earlyStopping(options: EarlyStoppingOptions = {}): Callback {
  checkEarlyStopping(options);
  const { monitor = "valLoss", patience = 0, minDelta = 0, startFrom = 0 } = options;
  let best = worst(monitor);
  let waited = 0;
  const stopIfSpent = (training: Training) => {
    if (waited >= Math.max(1, patience)) training.stop(`${monitor} has not improved for ${waited} epochs`);
  };
  return {
    name: "early-stopping",
    onTrainBegin(training) {
      checkMonitor(monitor, training.monitors);
      // A run that was killed after its last epoch has nothing more to learn.
      stopIfSpent(training);
    },
    onEpochEnd(epoch, logs, training) {
      if (epoch <= startFrom) return;
      const value = watched(monitor, logs);
      if (improves(monitor, value, best, minDelta)) {
        best = value;
        waited = 0;
        return;
      }
      waited += 1;
      stopIfSpent(training);
    },
    state: () => ({ best: Number.isFinite(best) ? best : null, waited }),
    restore(state: JsonValue) {
      const saved = state as { best: number | null; waited: number };
      best = saved.best ?? worst(monitor);
      waited = saved.waited;
    },
  };
}
