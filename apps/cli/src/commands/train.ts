import type { IndexedDataset } from "@convkit/datasets";
import type { EngineName } from "@convkit/engine";
import { findArchitecture, isModelName } from "@convkit/models";
import {
  balancedClassWeights,
  type Callback,
  claimRunDirectory,
  earlyStopping,
  evaluate,
  type Plan,
  planAugmentation,
  reduceOnPlateau,
  runDirectory,
  tensorBoard,
  train as trainModel,
  webhook,
  writeJson,
} from "@convkit/trainer";
import type { Context } from "../terminal/context.ts";
import { engineInUse } from "../inputs/use-engine.ts";
import { grouped, percent } from "../terminal/format.ts";
import type { TrainOptions } from "../training/plan.ts";
import { leftOutNotes } from "../inputs/skipped-images.ts";
import { trainingProgress } from "../terminal/progress.ts";
import { freezeAllButHead, modelToTrain, outputsFor } from "../training/starting-model.ts";
import { inputOf, resolveModel } from "../inputs/model-source.ts";
import { defaultFolder, newConfig, resumedConfig, type RunConfig } from "../training/run-config.ts";
import { trainingData } from "../training/training-data.ts";
import { type EndedRun, resultDocument, resultText, writeResult } from "../training/finish-run.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { userPath } from "../inputs/user-path.ts";
import { environment } from "../training/environment.ts";

/** `convkit train`: trains a recipe or a network, and leaves a run directory. */
export async function train(context: Context, name: string | undefined, options: TrainOptions): Promise<void> {
  const resume = options.resume === undefined ? undefined : userPath(options.resume);
  const config =
    resume === undefined ? newConfig(context, name, options) : await resumedConfig(context, resume, name, options);
  const folder = resume ?? (options.out === undefined ? defaultFolder(config.name) : userPath(options.out));
  const release = await claimRunDirectory(folder, { fresh: resume === undefined });
  try {
    // Before anything that takes long, so that a run that is killed can be resumed from here on.
    if (resume === undefined) await writeJson(runDirectory(folder).config, config);
    const ended = await trainIn(folder, context, config, options);
    await writeResult(ended);
    context.out.result(resultDocument(ended), resultText(ended));
    if (ended.result.diverged) throw new Error(`The training ended since ${ended.result.stopReason}.`);
    const { expects } = config.plan;
    if (expects !== undefined && ended.test !== undefined && ended.test.top1 < expects.accuracy)
      throw new Error(
        `${config.name} must reach ${percent(expects.accuracy)} but reached ${percent(ended.test.top1)}.`,
      );
  } finally {
    await release();
  }
}

async function trainIn(folder: string, context: Context, config: RunConfig, options: TrainOptions): Promise<EndedRun> {
  const { plan, seed, precision, deterministic, weights, freeze } = config;
  const engine = await engineInUse(context, engineOf(context, config));
  const before = config.environment?.engine;
  if (before !== undefined && before !== engine.name)
    context.out.note(
      `The run began on the ${before} engine and goes on with the ${engine.name} engine, which rounds otherwise: it will not end with the same bits.`,
    );
  if (precision !== "float32" && engine.backend !== "tensorflow")
    throw new UsageError(
      `--precision ${precision} needs the gpu or the native engine; the ${engine.name} engine computes in float32.`,
    );
  const begun = isModelName(plan.model) ? undefined : await resolveModel(plan.model, {}, seed);
  const image = begun ? inputOf(begun.model) : (plan.modelOptions?.input ?? findArchitecture(plan.model).input);
  const data = await trainingData(context, config, options, image);
  const tellLeftOut = leftOutNotes(context.out, data);
  tellLeftOut();
  const { input, aux, classes = outputsFor(plan.model, data.train.classes.length) } = plan.modelOptions ?? {};
  const { model, preprocessing } = await modelToTrain(
    context,
    begun,
    plan.model,
    { classes, ...(input && { input: [...input] }), ...(aux && { aux }), ...(weights && { weights }) },
    seed,
  );
  if (freeze === true) freezeAllButHead(model);
  const parameters = model.countParams();
  const made = environment(engine);
  await writeJson(runDirectory(folder).config, {
    ...config,
    preprocessing,
    classes: data.train.classes,
    environment: made,
  });
  const version = engine.tensorflow === undefined ? "" : ` (TensorFlow ${engine.tensorflow})`;
  context.out.note(
    `${config.name}: ${grouped(parameters)} parameters, ${grouped(data.train.size)} images of ${data.name}, ${engine.name} engine${version}, run directory ${folder}`,
  );
  const { threads } = context.options;
  const execution = { precision, deterministic, ...(threads !== undefined && { threads }) };
  const outputWeights = plan.outputWeights ?? outputWeightsOf(plan.model, model.outputs.length);
  const result = await trainModel({
    model,
    data,
    optimizer: plan.optimizer,
    epochs: plan.epochs,
    batch: plan.batch,
    seed,
    preprocessing,
    outputWeights,
    execution,
    callbacks: [trainingProgress(context.out), ...callbacksOf(plan), ...webhooks(context, options)],
    out: folder,
    resume: options.resume !== undefined,
    metadata: { name: config.name, classes: data.train.classes, preprocessing },
    signal: context.signal,
    ...(plan.loss && { loss: plan.loss }),
    ...(plan.augment && { augment: planAugmentation(plan.augment, data.train.classes.length) }),
    ...(plan.classWeights && { classWeights: classWeightsOf(plan.classWeights, data.train) }),
    ...(plan.accumulate !== undefined && { accumulate: plan.accumulate }),
    ...(plan.ema !== undefined && { ema: plan.ema }),
    ...(plan.schedule && { schedule: plan.schedule }),
    ...(plan.monitor && { monitor: plan.monitor }),
    ...(config.keepBest !== undefined && { checkpoints: { keepBest: config.keepBest } }),
  });
  const judged = data.test ?? data.validation;
  const idle = judged === undefined || result.interrupted || (result.diverged && result.best === undefined);
  const loss = plan.loss && { loss: plan.loss };
  const test = idle
    ? undefined
    : await evaluate(model, judged, { preprocessing, execution, signal: context.signal, ...loss }).catch(
        (error: unknown) => {
          if (context.signal.aborted) return undefined;
          throw error;
        },
      );
  tellLeftOut();
  const interrupted = result.interrupted || context.signal.aborted;
  return { folder, config, data, parameters, environment: made, result: { ...result, interrupted }, test };
}

/** Where bits count, a run goes on with the engine that it began on, unless another is asked for. */
function engineOf({ options }: Context, { deterministic, environment: began }: RunConfig): EngineName | "auto" {
  return options.engine === "auto" && deterministic ? (began?.engine ?? "auto") : options.engine;
}

function classWeightsOf(weights: NonNullable<Plan["classWeights"]>, train: IndexedDataset): readonly number[] {
  return weights === "balanced" ? balancedClassWeights(train.labels, train.classes.length) : weights;
}

/** The main output counts whole, auxiliary ones as the network's paper has it. */
function outputWeightsOf(model: string, outputs: number): number[] {
  const auxLossWeight = (isModelName(model) ? findArchitecture(model).auxLossWeight : undefined) ?? 1;
  return Array.from({ length: outputs }, (_, index) => (index === 0 ? 1 : auxLossWeight));
}

function callbacksOf(plan: Plan): Callback[] {
  return [
    tensorBoard({ histograms: plan.histograms ?? 0 }),

    ...(plan.earlyStopping ? [earlyStopping(plan.earlyStopping)] : []),
    ...(plan.reduceOnPlateau ? [reduceOnPlateau(plan.reduceOnPlateau)] : []),
  ];
}

function webhooks({ out }: Context, { webhook: url }: TrainOptions): Callback[] {
  return url === undefined ? [] : [webhook(url, { onError: (error) => out.note(`webhook: ${error.message}`) })];
}
