import { existsSync } from "node:fs";
import { readdir, rm, rmdir } from "node:fs/promises";
import { basename } from "node:path";
import { writeJson } from "@convkit/files";
import type { DataSplits, IndexedDataset } from "@convkit/datasets";
import type { Engine } from "@convkit/engine";
import { findArchitecture, isModelName } from "@convkit/models";
import {
  balancedClassWeights,
  type Callback,
  claimRunDirectory,
  earlyStopping,
  evaluate,
  evaluateTasks,
  fineTune,
  type Loss,
  type Plan,
  planAugmentation,
  mlflow,
  reduceOnPlateau,
  taskHeads,
  track,
  type RunClaim,
  runDirectory,
  type RunResult,
  tensorBoard,
  train,
  trainingHealth,
  webhook,
} from "@convkit/trainer";
import type { Context } from "../terminal/context.ts";
import { grouped } from "../terminal/format.ts";
import { trainingProgress } from "./progress.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { dataNotes } from "../inputs/data-notes.ts";
import { hasSameNames, listed, matchModelClasses } from "../inputs/model-classes.ts";
import { inputOf, type ResolvedModel, resolveModel } from "../inputs/model-source.ts";
import { mapSplits, runSplits } from "../inputs/run-splits.ts";

import { engineInUse } from "../inputs/use-engine.ts";
import { environment } from "./environment.ts";
import type { EndedRun } from "./finish-run.ts";
import type { RunConfig } from "./run-config.ts";
import { maskInput, maskNetwork, newMaskNetwork } from "./mask-network.ts";
import { freezeAllButHead, modelToTrain, outputsFor } from "./starting-model.ts";

/** The folder of a run, and the options of this process. */
export interface RunPlace {
  readonly folder: string;
  readonly isResumed: boolean;
  readonly workers: number | undefined;
  readonly strict: boolean | undefined;
  readonly cacheDecoded: boolean | undefined;
  readonly cacheLimit: number | undefined;
  readonly keepGoing: boolean | undefined;
  readonly webhook: string | undefined;
  /** The address of MLflow's server. */
  readonly tracker: string | undefined;
  /** True for a trial of a search, whose model is not used again. */
  readonly isTrial?: boolean;
}

/**
 * Trains into the run directory, which is locked until `finish` has used the result. If a new run fails before its
 * first step, its directory is removed.
 */
export async function trainRun(
  context: Context,
  config: RunConfig,
  place: RunPlace,
  finish: (ended: EndedRun) => Promise<void>,
): Promise<void> {
  const { folder, isResumed } = place;
  const wasThere = existsSync(folder);
  const claim = await claimRunDirectory(folder, { fresh: !isResumed });
  let isStarted = isResumed;
  try {
    // Written first, so that a run can be resumed even if it is killed right now.
    if (!isResumed) await writeJson(runDirectory(folder).config, config);
    const ended = await trainIn(context, config, { ...place, claim });
    isStarted = true;
    claim.check();
    await finish(ended);
  } catch (error) {
    if (context.signal.aborted && !isStarted)
      context.out.note(`Interrupted before the first step; continue with convkit train --resume ${folder}`);
    throw error;
  } finally {
    await claim.release();
    if (!isStarted && !context.signal.aborted) await removeUnstarted(folder, wasThere);
  }
}

/** Removes the files of a run that failed before its first step; a folder with other files stays. */
async function removeUnstarted(folder: string, wasThere: boolean): Promise<void> {
  const { config, tensorboard } = runDirectory(folder);
  const names = await readdir(folder);
  if (names.some((name) => ![config, tensorboard].map((path) => basename(path)).includes(name))) return;
  for (const path of [config, tensorboard]) await rm(path, { recursive: true, force: true });
  if (!wasThere) await rmdir(folder);
}

async function trainIn(
  context: Context,
  config: RunConfig,
  place: RunPlace & { readonly claim: RunClaim },
): Promise<EndedRun> {
  const { plan, seed, precision, deterministic } = config;
  const { engine, threads } = await runEngine(context, config);
  context.signal.throwIfAborted();
  const { model, preprocessing, data } = await modelAndData(context, config, place);
  const { targets } = data.train;
  context.signal.throwIfAborted();
  const tellNotes = dataNotes(context.out, data.train, data.validation, data.test);
  tellNotes();
  const made = environment(engine);
  const { classes } = data.train;
  await writeJson(runDirectory(place.folder).config, { ...config, preprocessing, classes, environment: made });
  const parameters = model.countParams();
  const version = engine.tensorflow === undefined ? "" : ` (TensorFlow ${engine.tensorflow})`;
  context.out.note(
    `${config.name}: ${grouped(parameters)} parameters, ${grouped(data.train.size)} images of ${data.name}, ${engine.name} engine${version}, run directory ${place.folder}`,
  );
  const execution = { precision, deterministic, ...(threads !== undefined && { threads }) };
  const callbacks = () => [
    trainingProgress(context.out),
    ...callbacksOf(context, config, place),
    ...webhooks(context, place),
    ...trackers(context, config, place),
  ];
  const teacher =
    plan.distill && (await resolveModel(plan.distill.teacher, {}, seed, (note) => context.out.note(note)));
  const settings = {
    optimizer: plan.optimizer,
    epochs: plan.epochs,
    batch: plan.batch,
    seed,
    preprocessing,
    ...(plan.lossWeights
      ? { lossWeights: plan.lossWeights }
      : { outputWeights: plan.outputWeights ?? outputWeightsOf(plan.model, targets ? 1 : model.outputs.length) }),
    ...(plan.metrics && { metrics: plan.metrics }),
    onNote: (note: string) => context.out.note(note),
    execution,
    progress: false,
    out: place.folder,
    claim: place.claim,
    // A note has told of another engine and another number of threads.
    resume: place.isResumed && { anyMachine: true },
    metadata: { name: config.name, ...(targets === undefined && { classes }), preprocessing },
    signal: context.signal,
    ...(plan.loss && { loss: plan.loss }),
    ...(plan.augment && { augment: targets ? plan.augment : planAugmentation(plan.augment, classes.length) }),
    ...(plan.classWeights && { classWeights: classWeightsOf(plan.classWeights, data.train) }),
    ...(plan.stepsPerEpoch !== undefined && { stepsPerEpoch: plan.stepsPerEpoch }),
    ...(plan.validationSteps !== undefined && { validationSteps: plan.validationSteps }),
    ...(teacher && { distill: { ...plan.distill, teacher: teacher.model } }),
    ...(plan.sampling && { sampling: plan.sampling }),
    ...(plan.repeats !== undefined && { repeats: plan.repeats }),
    ...(plan.accumulate !== undefined && { accumulate: plan.accumulate }),
    ...(plan.ema !== undefined && { ema: plan.ema }),
    ...(plan.swa && { swa: plan.swa }),
    ...(plan.schedule && { schedule: plan.schedule }),
    ...(plan.monitor && { monitor: plan.monitor }),
    ...(config.validationRuntime && { validationRuntime: config.validationRuntime }),
    checkpoints: {
      keepBest: config.keepBest,
      ...(place.keepGoing && { onError: (error: Error) => tellAndGoOn(context, error) }),
    },
  };
  const result =
    plan.fineTune === undefined
      ? await train({ ...settings, model, data, callbacks: callbacks() })
      : await fineTuned(model, data, { ...settings, ...plan.fineTune, epochs: plan.epochs, callbacks });
  teacher?.model.dispose();
  if (result.validationRuntime !== undefined)
    context.out.note(`${config.name}: validated by copies of the model in the runtime ${result.validationRuntime}`);
  const judged = data.test ?? data.validation;
  const isIdle = judged === undefined || result.interrupted || (result.diverged && result.best === undefined);
  const judge = { preprocessing, execution, signal: context.signal };
  const unlessStopped = (error: unknown): undefined => {
    if (!context.signal.aborted) throw error;
  };
  const test =
    isIdle || targets !== undefined
      ? undefined
      : await evaluate(model, judged, { ...judge, loss: plan.loss as Loss | undefined }).catch(unlessStopped);
  const { loss, metrics, lossWeights } = plan;
  const tasks =
    isIdle || targets === undefined
      ? undefined
      : await evaluateTasks(model, judged, { ...judge, loss, metrics, lossWeights }).catch(unlessStopped);
  if (config.fold !== undefined || place.isTrial === true) model.dispose();
  tellNotes();
  const interrupted = result.interrupted || context.signal.aborted;
  return {
    folder: place.folder,
    config,
    data,
    parameters,
    environment: made,
    result: { ...result, interrupted },
    test,
    tasks,
  };
}

/**
 * Loads the engine of a run. A resumed run keeps its number of threads. With `--deterministic` it also keeps its engine
 * and all settings that change bits. The user may override them; a note says what changed.
 */
async function runEngine(
  context: Context,
  { precision, deterministic, threads: given, environment: before }: RunConfig,
): Promise<{ engine: Engine; threads: number | undefined }> {
  const { options, out } = context;
  const threads = given ?? (deterministic ? before?.threads : undefined);
  const name = options.engine === "auto" && deterministic ? (before?.engine ?? "auto") : options.engine;
  const engine = await engineInUse({ ...context, options: { ...options, threads } }, name);
  if (before !== undefined && before.engine !== engine.name)
    out.note(
      `The run began on the ${before.engine} engine and goes on with the ${engine.name} engine, which rounds otherwise: it will not end with the same bits.`,
    );
  if (before !== undefined && before.threads !== engine.threads)
    out.note(
      `The run began with ${before.threads} ${before.threads === 1 ? "thread" : "threads"} and goes on with ${engine.threads}: it will not end with the same bits.`,
    );
  if (precision !== "float32" && engine.backend !== "tensorflow")
    throw new UsageError(
      `--precision ${precision} needs the gpu or the native engine; the ${engine.name} engine computes in float32.`,
    );
  // Stored before the first step, so that a run that is resumed before its first checkpoint has the same settings.
  return { engine, threads: threads ?? (deterministic ? engine.threads : undefined) };
}

/** The result of a fine-tuning: that of its last stage, with the seconds of all. */
async function fineTuned(...[model, data, options]: Required<Parameters<typeof fineTune>>): Promise<RunResult> {
  const { stages } = await fineTune(model, data, options);
  return { ...stages.at(-1)!, seconds: stages.reduce((sum, { seconds }) => sum + seconds, 0) };
}

/** Loads the images of a run and its initial model, which has an output for each class. */
async function modelAndData(
  context: Context,
  config: RunConfig,
  { workers, strict, cacheDecoded, cacheLimit }: RunPlace,
): Promise<ResolvedModel & { readonly data: DataSplits<IndexedDataset> }> {
  const { plan, seed, weights, adaptChannels } = config;
  const trained =
    isModelName(plan.model) || plan.model === maskNetwork
      ? undefined
      : await resolveModel(plan.model, {}, seed, (note) => context.out.note(note));
  const isMaskNetwork = plan.model === maskNetwork;
  const usual = () => (isMaskNetwork ? maskInput : findArchitecture(plan.model).input);
  const image = trained ? inputOf(trained.model, trained.images) : (plan.modelOptions?.input ?? usual());
  const { dropPath, dropBlock } = plan.modelOptions ?? {};
  if ((trained !== undefined || isMaskNetwork) && (dropPath ?? dropBlock) !== undefined)
    throw new UsageError(
      "--drop-path and --drop-block are for networks of the zoo; unet has none, and a stored model keeps its layers: leave them out.",
    );
  const data = await runSplits(context, config, {
    workers,
    strict,
    cacheDecoded,
    cacheLimit,
    image,
    fit: trained?.images,
  });
  const { classes: names, targets } = data.train;
  checkStoredClasses(config, data);
  if (isMaskNetwork) {
    const made = newMaskNetwork(plan, data.train, seed);
    return { ...made, data };
  }
  if (targets !== undefined) {
    const { input, aux } = plan.modelOptions ?? {};
    const options = {
      dropPath,
      dropBlock,
      input: input && ([...input] as [number, number, number]),
      weights,
      adaptChannels,
    };
    if (aux === true) throw new UsageError("--aux is for classes: leave it out.");
    const wanted = {
      names: [],
      count: trained?.model.outputs[0]!.shape.at(-1) ?? findArchitecture(plan.model).classes,
    };
    const base = trained ?? (await modelToTrain(context, trained, plan.model, options, { wanted, seed }));
    const model = fitsTargets(base.model, targets) ? base.model : taskHeads(base.model, data.train, { seed });
    if (config.freeze === true) freezeAllButHead(model);
    return { ...base, classes: undefined, model, data };
  }
  const { input, aux, classes: count = outputsFor(plan.model, names.length) } = plan.modelOptions ?? {};
  const resolved = await modelToTrain(
    context,
    trained,
    plan.model,
    { input: input && [...input], aux, dropPath, dropBlock, weights, adaptChannels },
    { wanted: { names, count }, seed },
  );
  if (config.freeze === true) freezeAllButHead(resolved.model);
  // A kept head has its own order of the classes.
  const isKept = trained !== undefined && resolved.model === trained.model;
  return { ...resolved, data: isKept ? mapSplits(data, (set) => matchModelClasses(context.out, set, trained)) : data };
}

/** True if a trained model has an output for each target already. */
function fitsTargets(model: ResolvedModel["model"], targets: NonNullable<IndexedDataset["targets"]>): boolean {
  const wanted = Object.entries(targets);
  return (
    model.outputs.length === wanted.length &&
    model.outputs.every((output, place) => {
      const [name, { kind, shape }] = wanted[place]!;
      // The classes of a mask are checked with the data.
      if (kind === "mask") return output.shape.length === 4;
      return output.sourceLayer.name === name && output.shape.slice(1).join() === shape.join();
    })
  );
}

/** A resumed run needs its original classes: its model knows no others. */
function checkStoredClasses({ classes, plan }: RunConfig, { train }: DataSplits<IndexedDataset>): void {
  if (classes !== undefined && !hasSameNames(classes, train.classes))
    throw new UsageError(
      `The run began with the classes ${listed(classes)}, but ${plan.data} has ${listed(train.classes)} now: a run goes on with its own data.`,
    );
}

function classWeightsOf(weights: NonNullable<Plan["classWeights"]>, train: IndexedDataset): readonly number[] {
  if (weights !== "balanced") return weights;
  const [name, mask] = Object.entries(train.targets ?? {}).find(([, { kind }]) => kind === "mask") ?? [];
  if (name === undefined || mask === undefined) return balancedClassWeights(train.labels, train.classes.length);
  return balancedClassWeights(train.targetValues![name]!, mask.names.length, { ignore: mask.ignore });
}

/** The main output's loss has factor 1; auxiliary outputs have the factor of the network's paper. */
function outputWeightsOf(model: string, outputs: number): number[] {
  const auxLossWeight = (isModelName(model) ? findArchitecture(model).auxLossWeight : undefined) ?? 1;
  return Array.from({ length: outputs }, (_, index) => (index === 0 ? 1 : auxLossWeight));
}

function tellAndGoOn({ out }: Context, { message }: Error): void {
  out.note(`${message.replace(/\.$/, "")}. The training goes on.`);
}

function callbacksOf(context: Context, { plan, health }: RunConfig, { keepGoing }: RunPlace): Callback[] {
  const onError = keepGoing === true ? (error: Error) => tellAndGoOn(context, error) : undefined;
  return [
    tensorBoard({ histograms: plan.histograms ?? 0, onError }),
    ...(health === undefined
      ? []
      : [trainingHealth({ every: health, histograms: (plan.histograms ?? 0) > 0, onError })]),
    ...(plan.earlyStopping ? [earlyStopping(plan.earlyStopping)] : []),
    ...(plan.reduceOnPlateau ? [reduceOnPlateau(plan.reduceOnPlateau)] : []),
  ];
}

function webhooks({ out }: Context, { webhook: url }: RunPlace): Callback[] {
  return url === undefined ? [] : [webhook(url, { onError: (error) => out.note(`webhook: ${error.message}`) })];
}

/** The tracker of a run, whose settings are the plan's, with dots between the keys. */
function trackers({ out }: Context, { name, plan, seed, precision }: RunConfig, { tracker }: RunPlace): Callback[] {
  if (tracker === undefined) return [];
  const settings = { seed, precision, ...flat(plan) };
  return [track(mlflow(tracker, { experiment: name }), { settings, onNote: (note) => out.note(note) })];
}

function flat(value: object, path = ""): Record<string, string> {
  const rows = Object.entries(value).flatMap(([key, each]: [string, unknown]) => {
    if (each === undefined) return [];
    const isRecord = typeof each === "object" && each !== null && !Array.isArray(each);
    return isRecord ? Object.entries(flat(each, `${path}${key}.`)) : [[`${path}${key}`, String(each)] as const];
  });
  return Object.fromEntries(rows);
}
