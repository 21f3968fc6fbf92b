import { fromZero, wholeFromZero } from "@convkit/errors";
import { fieldProblems, type Fields, throwProblems } from "../checks/fields.ts";
import type { JsonValue } from "@convkit/files";
import { checkMonitor, isLowerBetter, knownMonitor, type Monitor } from "../run/monitor.ts";
import { Patience } from "../run/patience.ts";
import type { Callback, Training } from "./callback.ts";

/** The conditions under which `earlyStopping` ends a run. */
export interface EarlyStoppingOptions {
  /** The watched value; `valLoss` by default. */
  readonly monitor?: Monitor | undefined;
  /** Epochs without improvement before the run stops; 0 by default, which stops at the first such epoch. */
  readonly patience?: number | undefined;
  /** The smallest change that counts as an improvement; 0 by default. */
  readonly minDelta?: number | undefined;
  /** Epochs at the beginning that do not count; 0 by default. */
  readonly startFrom?: number | undefined;
}

const fields: Fields<EarlyStoppingOptions> = {
  monitor: ["a name", (value) => typeof value === "string"],
  patience: wholeFromZero,
  minDelta: fromZero,
  startFrom: wholeFromZero,
};

/** One sentence for each invalid option; `metrics` are the names of the metrics that may be watched. */
export function stoppingProblems(options: EarlyStoppingOptions | undefined, metrics: readonly string[]): string[] {
  return fieldProblems("earlyStopping", options, { ...fields, monitor: knownMonitor(metrics) });
}

/**
 * Stops when the watched value has not improved for `patience` epochs, like Keras' EarlyStopping. Throws `TrainerError`
 * for invalid options.
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): Callback {
  throwProblems(fieldProblems("earlyStopping", options, fields));
  const { monitor = "valLoss", patience = 0, minDelta = 0, startFrom = 0 } = options;
  const epochs = new Patience(monitor, minDelta);
  const stopIfSpent = (training: Training) => {
    const { waited } = epochs;
    if (waited >= Math.max(1, patience)) training.stop(`${monitor} has not improved for ${waited} epochs`);
  };
  return {
    name: "early-stopping",
    onTrainBegin(training) {
      checkMonitor(monitor, training.monitors);
      epochs.begin(isLowerBetter(monitor, training.lowerIsBetter));
      // A run may have been killed just after its patience ran out.
      stopIfSpent(training);
    },
    onEpochEnd(epoch, logs, training) {
      if (epoch <= startFrom) return;
      epochs.count(logs);
      stopIfSpent(training);
    },
    state: () => ({ ...epochs.state() }),
    restore: (state: JsonValue) => epochs.restore("early-stopping", state),
  };
}
