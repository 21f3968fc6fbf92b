import type { Training } from "../callbacks/callback.ts";
import { hasAccuracy } from "../objective/output-tasks.ts";
import { type Monitor, monitors, withoutValidation } from "../run/monitor.ts";
import { drawFirstBatch, drawMistakes } from "./sample-images.ts";
import type { Run } from "./run.ts";

/** The callbacks' view of a run. */
export function trainingView({ settings, parts, runner, state }: Omit<Run, "training">): Training {
  const { model, data, epochs, out, seed, execution, signal } = settings;
  const directions = parts.metrics.directions;
  const isValidated = data.validation !== undefined;
  const hasOwnAccuracy = directions.has("accuracy");
  const columns = [...directions.keys()].filter((name) => name !== "accuracy");
  const known: readonly Monitor[] = [
    ...monitors.filter(
      (each) =>
        (isValidated || !each.startsWith("val")) &&
        (hasAccuracy(parts.tasks[0]!) || hasOwnAccuracy || !/accuracy/i.test(each)),
    ),
    ...columns,
    ...(isValidated ? columns.map((name) => `val_${name}`) : []),
  ];
  return {
    model,
    epochs,
    stepsPerEpoch: state.stepsPerEpoch,
    monitors: known,
    lowerIsBetter: ["loss", "valLoss", ...known.filter((each) => directions.get(withoutValidation(each)) === "lower")],
    images: data.train.size,
    out,
    get epoch() {
      return state.epoch;
    },
    get step() {
      return state.step;
    },
    get learningRate() {
      return state.learningRate();
    },
    get stopReason() {
      return state.stopReason;
    },
    signal: signal ?? new AbortController().signal,
    scaleLearningRate: (factor) => state.scaleLearningRate(factor),
    stop: (reason) => state.stop(reason),
    firstBatchSheet: (count) => drawFirstBatch(parts, data.train, { count, seed, execution }),
    mistakesSheet: (count) => drawMistakes(parts, data.validation ?? data.train, { count, execution, signal }),
    syncWeights: () => runner.sync(),
  };
}
