import { modelMetadata, setModelMetadata } from "@convkit/core";
import { aboveZero, checkOptions, type OptionNames, wholeFromOne } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { throwProblems, valueProblems } from "../checks/fields.ts";
import { fullOptions } from "../loop/plain-options.ts";
import { train } from "../loop/train.ts";
import type { TrainOptions } from "../loop/train-options.ts";
import { completeOptimizer, type OptimizerConfig, type OptimizerName } from "../optimization/optimizer-config.ts";
import { isOptimizer } from "../optimization/own-optimizer.ts";
import { TrainerError } from "../trainer-error.ts";
import { type RatePoint, type RateSuggestions, smoothedLosses, suggestRates } from "./rate-suggestions.ts";

type Objective = "loss" | "lossWeights" | "outputWeights" | "classWeights";
type Kept = Objective | "batch" | "seed" | "preprocessing" | "augment" | "execution" | "signal";

/** Options of `findLearningRate`: how to train, and the range of rates. */
export interface FindLearningRateOptions extends Pick<TrainOptions, Kept> {
  /** `adam` by default; its own rate has no meaning here. */
  readonly optimizer?: OptimizerName | OptimizerConfig | undefined;
  /** The first rate; 1e-7 by default. */
  readonly from?: number | undefined;
  /** The rate that the steps rise to; 10 by default. */
  readonly to?: number | undefined;
  /** Steps between the two; 100 by default. */
  readonly steps?: number | undefined;
}

/** The losses at rising learning rates, and the rates that they suggest. */
export interface FoundLearningRate {
  readonly points: readonly RatePoint[];
  readonly suggestions: RateSuggestions;
}

const optionNames: OptionNames<FindLearningRateOptions> = {
  optimizer: true,
  from: true,
  to: true,
  steps: true,
  batch: true,
  loss: true,
  lossWeights: true,
  outputWeights: true,
  classWeights: true,
  seed: true,
  preprocessing: true,
  augment: true,
  execution: true,
  signal: true,
};

/**
 * Trains some steps with a rate that rises exponentially, and suggests a rate by the losses (Smith 2015,
 * https://arxiv.org/abs/1506.01186; the rules are those of fastai's `lr_find`). Stops where the smoothed loss is four times its
 * smallest value. The model keeps its weights and its metadata.
 *
 * Throws a `TrainerError` for options out of their range and for data that does not fit the model.
 */
export async function findLearningRate(
  model: LayersModel,
  data: TrainOptions["data"],
  options: FindLearningRateOptions = {},
): Promise<FoundLearningRate> {
  checkOptions("findLearningRate", options, optionNames, (message) => new TrainerError(message));
  const { optimizer = "adam", from = 1e-7, to = 10, steps = 100, ...rest } = options;
  throwProblems([
    ...valueProblems("from", from, aboveZero),
    ...valueProblems("to", to, ["a number above from", (value) => typeof value === "number" && value > from]),
    ...valueProblems("steps", steps, wholeFromOne),
    ...(isOptimizer(optimizer) ? ["optimizer must be a name or plain data, since its state would change."] : []),
  ]);
  const { train: images } = fullOptions({ model, data, epochs: 1 }).data;
  const { batch = 32 } = rest;
  if (!Number.isFinite(images.size))
    throw new TrainerError(`findLearningRate: ${images.name} must say how many images an epoch has.`);
  const stepsPerEpoch = Math.ceil(images.size / batch);
  const losses: number[] = [];
  const rates: number[] = [];
  const before = model.weights.map((weight) => ({ weight, value: tf.clone(weight.read()) }));
  const metadata = modelMetadata(model);
  try {
    let least = Number.POSITIVE_INFINITY;
    await train({
      ...rest,
      model,
      data: images,
      epochs: Math.ceil(steps / stepsPerEpoch),
      optimizer: { ...completeOptimizer(optimizer as OptimizerName | OptimizerConfig), learningRate: from },
      schedule: { name: "exponential", rate: (to / from) ** (stepsPerEpoch / steps) },
      stepsPerCall: 1,
      restoreBest: false,
      progress: false,
      callbacks: [
        {
          onTrainBatchEnd(_batch, { stepLoss, lr }, training) {
            losses.push(stepLoss);
            rates.push(lr);
            const smoothed = smoothedLosses(losses).at(-1)!;
            least = Math.min(least, smoothed);
            if (losses.length >= steps) training.stop("all rates were tried");
            else if (smoothed > 4 * least) training.stop("the loss has grown");
          },
        },
      ],
    });
  } finally {
    for (const { weight, value } of before) {
      weight.write(value);
      value.dispose();
    }
    const written = Object.keys(modelMetadata(model)).map((name) => [name, undefined] as const);
    setModelMetadata(model, { ...Object.fromEntries(written), ...metadata });
  }
  const smoothed = smoothedLosses(losses);
  const points = losses.map((loss, i) => ({ learningRate: rates[i]!, loss, smoothed: smoothed[i]! }));
  return { points, suggestions: suggestRates(points, steps) };
}
