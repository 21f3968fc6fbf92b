import { join } from "@convkit/files/system";
import { modelMetadata, replaceHead } from "@convkit/core";
import { depthGroups } from "@convkit/core/internal";
import { checkOptions } from "@convkit/errors";
import { withInputChannels } from "@convkit/trainer/platform";
import type { layers, LayersModel } from "@tensorflow/tfjs-layers";
import { throwProblems } from "../checks/fields.ts";
import { fullOptions } from "../loop/plain-options.ts";
import { trainOptionNames } from "../loop/check-options.ts";
import { train } from "../loop/train.ts";
import type { Callback } from "../callbacks/callback.ts";
import type { RunResult, TrainOptions } from "../loop/train-options.ts";
import { isModel } from "../model/named-weights.ts";
import { completeOptimizer, type OptimizerConfig, type OptimizerName } from "../optimization/optimizer-config.ts";
import { isOptimizer } from "../optimization/own-optimizer.ts";
import { hasSameClasses } from "../step/data-checks.ts";
import { trackPrefix } from "../trackers/track.ts";
import { TrainerError } from "../trainer-error.ts";
import { type FineTunePlan, fineTuneNames, fineTuneProblems } from "./fine-tune-plan.ts";

/** Options of `fineTune`: those of `train`, and the stages. */
export interface FineTuneOptions
  extends Omit<TrainOptions, "model" | "data" | "epochs" | "optimizer" | "callbacks">, FineTunePlan {
  /**
   * Callbacks of all stages, or a function that makes those of a stage (counted from 1), as callbacks that count epochs need:
   * `() => [earlyStopping()]`. None by default.
   */
  readonly callbacks?: readonly Callback[] | ((stage: number, stages: number) => readonly Callback[]) | undefined;
  /**
   * `adamw` with the rate 0.002 for the head by default. Afterwards the rate is half as large, and falls to its hundredth at the
   * stem, unless the optimizer has a `layerDecay`.
   */
  readonly optimizer?: OptimizerName | OptimizerConfig | undefined;
}

/** A fine-tuned model and its trainings. */
export interface FineTuneResult {
  /** The model with its new head or input, or the given model if its classes and channels are those of the data. */
  readonly model: LayersModel;
  /** The result of each stage: the head, then the thawed layers. */
  readonly stages: readonly RunResult[];
}

/** Rates of everything at once: the stem's is a hundredth of the head's (Howard and Gugger 2020, fastai's `fine_tune`). */
const stemRate = 0.01;

/**
 * Fine-tunes a trained model on other data: a new head if the classes differ, the head alone first, then everything with rates that
 * fall from the head to the stem, with norms kept still. Each stage has its own optimizer and a one-cycle schedule.
 *
 * With `out`, the last stage is the run there, and the earlier stages are runs in its folder `stages`; `resume: true` continues.
 * Throws `TrainerError` for options of `train` that do not fit, before the first step.
 */
export async function fineTune(
  given: LayersModel,
  data: TrainOptions["data"],
  options: FineTuneOptions = {},
): Promise<FineTuneResult> {
  checkOptions("fineTune", options, { ...trainOptionNames, ...fineTuneNames }, (message) => new TrainerError(message));
  for (const name of ["model", "data"] as const)
    if (name in options) throw new TrainerError(`fineTune: the ${name} is an argument of its own, not an option.`);
  throwProblems(fineTuneProblems(ownPart(options)));
  if (isOptimizer(options.optimizer))
    throw new TrainerError(
      "fineTune: expected the optimizer by name or as plain data, since each stage has a new one, got an optimizer object.",
    );
  const { callbacks: givenCallbacks, ...plain } = options;
  const full = fullOptions({ ...plain, model: given, data, epochs: 1 });
  const model = options.channels === undefined ? given : await withInputChannels(given, full.data.train.shape[2]);
  // Targets other than classes have their outputs by taskHeads.
  const tuned =
    full.data.train.targets === undefined ? withHeadFor(model, full.data.train.classes, options.seed ?? 0) : model;
  const {
    headEpochs: _head,
    epochs: _epochs,
    stages: _stages,
    stageEpochs: _each,
    norms = "still",
    channels: _channels,
    ...shared
  } = options;
  const { validation: _validation, stratify: _stratify, ...rest } = shared;
  const before = new Map(allLayers(tuned).map((layer) => [layer, layer.trainable]));
  const results: RunResult[] = [];
  try {
    const stages = stagesOf(tuned, options);
    checkCallbacks(givenCallbacks, stages.length);
    for (const [index, { layers: thawed, epochs, optimizer }] of stages.entries()) {
      freezeBut(tuned, thawed, norms);
      const isLast = index === stages.length - 1;
      const { out, claim, swa, ...others } = rest;
      const place = out === undefined ? {} : isLast ? { out, claim } : { out: join(out, "stages", String(index + 1)) };
      const result = await train({
        schedule: { name: "one-cycle" },
        ...others,
        ...place,
        ...(isLast && swa !== undefined && { swa }),
        callbacks: typeof givenCallbacks === "function" ? givenCallbacks(index + 1, stages.length) : givenCallbacks,
        model: tuned,
        data: full.data,
        epochs,
        optimizer,
      });
      results.push(result);
      if (result.interrupted || result.diverged) break;
    }
  } finally {
    for (const [layer, isTrainable] of before) layer.trainable = isTrainable;
  }
  return { model: tuned, stages: results };
}

/** The options of a fine-tuning besides those of `train`. */
function ownPart(options: FineTuneOptions): FineTunePlan {
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(fineTuneNames, name)));
}

/** Callbacks that count epochs cannot count those of several trainings. */
function checkCallbacks(callbacks: FineTuneOptions["callbacks"], stages: number): void {
  if (typeof callbacks === "function" || stages === 1) return;
  const counting = callbacks?.find((each) => each.state !== undefined && each.name?.startsWith(trackPrefix) !== true);
  if (counting !== undefined)
    throw new TrainerError(
      `fineTune: expected callbacks as a function, () => [earlyStopping()], since ${counting.name ?? "a callback"} counts epochs and each of the ${stages} stages needs its own, got a list.`,
    );
}

/** The model, with a new head if it tells apart other classes. */
function withHeadFor(model: LayersModel, classes: readonly string[], seed: number): LayersModel {
  const known = modelMetadata(model).classes;
  const outputs = model.outputs[0]!.shape.at(-1);
  const fits = outputs === classes.length || (outputs === 1 && classes.length === 2);
  return fits && (known === undefined || hasSameClasses(known, classes))
    ? model
    : replaceHead(model, classes.length, { seed });
}

interface Stage {
  /** The layers that learn. */
  readonly layers: ReadonlySet<layers.Layer>;
  readonly epochs: number;
  readonly optimizer: OptimizerConfig;
}

function stagesOf(model: LayersModel, options: FineTuneOptions): Stage[] {
  const { headEpochs = 1, epochs = 3, stages = 1, stageEpochs = 1 } = options;
  const given = completeOptimizer(options.optimizer ?? { name: "adamw", learningRate: 0.002 });
  const groups = depthGroups(model);
  const head = model.layers.findLast((layer) => layer.weights.length > 0)!;
  const layerDecay = given.layerDecay ?? (groups.length > 1 ? stemRate ** (1 / (groups.length - 1)) : undefined);
  const later = { ...given, learningRate: given.learningRate / 2, layerDecay };
  const made: Stage[] = [];
  if (headEpochs > 0) made.push({ layers: new Set([head]), epochs: headEpochs, optimizer: given });
  for (let stage = 1; stage <= stages; stage += 1) {
    const isLast = stage === stages;
    const count = Math.ceil((groups.length * stage) / stages);
    const thawed = isLast ? model.layers : [head, ...groups.slice(groups.length - count).flat()];
    made.push({ layers: new Set(thawed), epochs: isLast ? epochs : stageEpochs, optimizer: later });
  }
  return made;
}

/** Freezes all layers but some; norms stay frozen if they are to keep still. */
function freezeBut(model: LayersModel, thawed: ReadonlySet<layers.Layer>, norms: "still" | "train"): void {
  for (const layer of model.layers) {
    const isThawed = thawed.has(layer);
    for (const each of isModel(layer) ? [layer, ...allLayers(layer)] : [layer])
      each.trainable = isThawed && !(norms === "still" && each.getClassName() === "BatchNormalization");
  }
}

function allLayers(model: LayersModel): layers.Layer[] {
  return model.layers.flatMap((layer) => (isModel(layer) ? [layer, ...allLayers(layer)] : [layer]));
}
