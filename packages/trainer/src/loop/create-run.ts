import { isTerminal } from "@convkit/trainer/platform";
import { setModelMetadata } from "@convkit/core";
import { thisWorker } from "@convkit/graph";
import { RunWorkers } from "../workers/run-workers.ts";
import { seedRandomStreams } from "@convkit/core/internal";
import { CallbackList } from "../callbacks/callback-list.ts";
import { showProgress } from "../callbacks/progress.ts";
import type { JsonValue } from "@convkit/files";
import { imageWeights } from "../objective/class-weights.ts";
import { BestWeights } from "../run/best-weights.ts";
import { checkMonitor, withoutValidation } from "../run/monitor.ts";
import { byOutput, hasAccuracy, type OutputTask } from "../objective/output-tasks.ts";
import { isOwn } from "../objective/loss.ts";
import { throwProblems } from "../checks/fields.ts";
import { taskProblems } from "../step/check-tasks.ts";
import { checkData } from "../step/data-checks.ts";
import { MetricSet } from "../metrics/metric-set.ts";
import { batchLayout } from "../step/batch-layout.ts";
import { TrainerError } from "../trainer-error.ts";
import { StepRunner } from "../step/step-runner.ts";
import { checkTrainOptions, weightProblems } from "./check-options.ts";
import { fullOptions } from "./plain-options.ts";
import type { Run } from "./run.ts";
import { RunClock } from "./run-clock.ts";
import { RunState } from "./run-state.ts";
import { completeOptions, lastingSettings, resumedSettings, type Settings } from "./settings.ts";
import type { TrainOptions } from "./train-options.ts";
import { trainingView } from "./training-view.ts";

/** Checks options and data, by themselves and against each other, and fills in the defaults. */
export function checkedSettings(given: TrainOptions): Settings {
  const options = fullOptions(given);
  const { loss } = options;
  const isEmbedding = typeof loss === "function" || /triplet|"fn"/.test(JSON.stringify(loss, withFunctions) ?? "");
  checkData(options.model, options.data, { isEmbedding });
  checkTrainOptions(options);
  const settings = completeOptions(options);
  throwProblems([...taskProblems(options.model, options.data.train, settings.tasks), ...settingProblems(settings)]);
  return settings;
}

/** Settings that the tasks forbid. */
function settingProblems(settings: Settings): string[] {
  const { tasks, augment, augmentPlan, accumulate, classWeights, data, validationRuntime } = settings;
  const targets = new Set(tasks.map(({ target }) => target));
  const masks = new Set(tasks.flatMap(({ kind, target }) => (kind === "mask" ? [target] : [])));
  const isMixed = augmentPlan?.mixup !== undefined || augmentPlan?.cutmix !== undefined;
  const summed = tasks.find(
    ({ loss: { reduction } }) => reduction === "sum" || reduction === "mean-with-sample-weight",
  );
  const weighted = tasks.filter(({ output }) => !byOutput(classWeights) || classWeights[output] !== undefined);
  const hasViews = augment?.change.jsd !== undefined;
  const isPlain = hasAccuracy(tasks[0]!) && targets.size === 1 && settings.model.inputs.length === 1;
  return [
    ...(hasViews && !isPlain
      ? ["augMix.jsd is for images of one class each, without further inputs: leave it out."]
      : []),
    ...(hasViews && settings.distill !== undefined
      ? ["augMix.jsd and distill both compare predictions: give one."]
      : []),
    ...(validationRuntime !== undefined && (data.train.targets !== undefined || !hasAccuracy(tasks[0]!))
      ? ["validationRuntime is for one class an image: leave it out."]
      : []),
    ...(masks.size > 0 && isMixed ? ["augment cannot mix images with masks: leave out mixup and cutmix."] : []),
    ...(masks.size > 1 && augment !== undefined && Object.keys(augmentPlan ?? {}).some((key) => moves.test(key))
      ? [
          `augment moves one mask with an image, and ${data.train.name} has ${[...masks].join(", ")}: change colors only.`,
        ]
      : []),
    ...(targets.size > 1 && (isMixed || (augment !== undefined && augmentPlan === undefined))
      ? [`augment cannot mix the images of ${data.train.name}: it has more than one target.`]
      : []),
    ...(accumulate > 1 && summed !== undefined
      ? [`accumulate averages the gradients of batches, which does not fit the reduction ${summed.loss.reduction}.`]
      : []),
    ...(classWeights === undefined
      ? []
      : weighted.flatMap(({ output, kind, names }) => {
          const own = byOutput(classWeights) ? classWeights[output]! : classWeights;
          const what = byOutput(classWeights) ? `classWeights.${output}` : "classWeights";
          if (kind === "numbers") return [`${what}: ${output} tells numbers, which have no classes.`];
          return weightProblems(what, own, names.length, kind === "labels" ? "label" : "class");
        })),
    ...weighted.flatMap(({ kind, loss, output }) =>
      classWeights !== undefined && isOwn(loss) && kind !== "class"
        ? [`classWeights cannot reach into the given loss of ${output}: weigh the ${kind} there.`]
        : [],
    ),
    ...weighted.flatMap(({ kind, loss }) =>
      classWeights !== undefined && kind === "labels" && !isOwn(loss) && /cosine|divergence/.test(loss.name)
        ? [`classWeights are not for ${loss.name}, which has one value for all labels.`]
        : [],
    ),
  ];
}

/** Augmentations that move pixels. */
const moves = /^(flip|rotation|translation|zoom|crop|randAugment)$/;

function withFunctions(_key: string, value: unknown): unknown {
  return typeof value === "function" ? "function" : value;
}

/** Makes a run from the options; `began` are the original settings of a resumed run. */
export function createRun(options: Settings, began: Readonly<Record<string, JsonValue>> | undefined): Run {
  const settings = began === undefined ? options : resumedSettings(options, began);
  const { model, data, tasks, preprocessing, augment, distill, optimizer, accumulate, ema, execution, monitor } =
    settings;
  seedRandomStreams(model, settings.seed);
  const shows = settings.progress ?? isTerminal();
  const callbacks = new CallbackList([...(settings.callbacks ?? []), ...(shows ? [showProgress()] : [])]);
  const gradients = callbacks.health.some((request) => request.gradients);
  const metrics = new MetricSet(tasks, settings.metrics, settings.onNote);
  const layout = batchLayout(model, data.train);
  const parts = { model, tasks, layout, metrics, preprocessing, augment, jsd: augment?.change.jsd, distill };
  const worker = thisWorker();
  const workers = worker && new RunWorkers(worker, settings, parts);
  const isLower =
    monitor === "loss" || monitor === "valLoss" || metrics.directions.get(withoutValidation(monitor)) === "lower";
  const run = {
    settings,
    lasting: began ?? lastingSettings(settings),
    parts,
    runner: new StepRunner(
      parts,
      { optimizer, accumulate, ema, hasMean: settings.swa !== undefined },
      execution,
      { gradients },
      workers?.step,
    ),
    best: new BestWeights(model, monitor, isLower),
    state: new RunState(settings),
    clock: new RunClock(),
    callbacks,
    imageWeights: imageWeights(settings, tasks),
    workers,
  };
  const training = trainingView(run);
  checkMonitor(monitor, training.monitors);
  const direction = metrics.directions.get(withoutValidation(monitor));
  if (metrics.directions.has(withoutValidation(monitor)) && direction === undefined)
    throw new TrainerError(
      `Cannot watch ${monitor}: the metric does not say what is better; give it as { name, fn, better: "higher" } or "lower".`,
    );
  const { decoding } = data.train;
  const told = { ...(decoding && { images: decoding }), ...settings.metadata };
  setModelMetadata(model, {
    name: model.name,
    thresholds: undefined,
    ...told,
    classes: classNames(tasks),
    preprocessing,
  });
  return { ...run, training };
}

/** The names of the classes that the model's first output tells, for its metadata; undefined if it tells none. */
function classNames([main]: readonly OutputTask[]): readonly string[] | undefined {
  return hasAccuracy(main!) || main!.kind === "labels" || main!.kind === "mask" ? main!.names : undefined;
}
