import type { Training } from "../callbacks/callback.ts";
import { type Monitor, monitors } from "../run/monitor.ts";
import { drawFirstBatch, drawMistakes } from "./sample-images.ts";
import type { Run } from "./run.ts";

/** The callbacks' view of a run. */
export function trainingView({ settings, parts, runner, state }: Omit<Run, "training">): Training {
  const { model, data, epochs, out, seed, execution, signal } = settings;
  const known: readonly Monitor[] = monitors.filter((each) => data.validation !== undefined || !each.startsWith("val"));
  return {
    model,
    epochs,
    stepsPerEpoch: state.stepsPerEpoch,
    monitors: known,
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
    scaleLearningRate: (factor) => state.scaleLearningRate(factor),
    stop: (reason) => state.stop(reason),
    firstBatchSheet: (count) => drawFirstBatch(parts, data.train, { count, seed, execution }),
    mistakesSheet: (count) => drawMistakes(parts, data.validation ?? data.train, { count, execution, signal }),
    syncWeights: () => runner.sync(),
  };
}
