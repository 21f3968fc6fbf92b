import { existsSync } from "node:fs";
import { readdir, rm, rmdir } from "node:fs/promises";
import { basename } from "node:path";
import { writeJson } from "@convkit/files";
import type { Engine } from "@convkit/engine";
import {
  claimRunDirectory,
  evaluate,
  evaluateTasks,
  fineTune,
  type Loss,
  planAugmentation,
  type RunClaim,
  runDirectory,
  type RunResult,
  train,
} from "@convkit/trainer";
import type { Context } from "../terminal/context.ts";
import { grouped } from "../terminal/format.ts";
import { CliError, UsageError } from "../terminal/usage-error.ts";
import { dataNotes } from "../inputs/data-notes.ts";
import { resolveModel } from "../inputs/model-source.ts";
import { engineInUse } from "../inputs/use-engine.ts";
import { environment } from "./environment.ts";
import type { EndedRun } from "./finish-run.ts";
import type { RunConfig } from "./run-config.ts";
import { planObjective } from "./plan-objective.ts";
import { decisions, runCallbacks, tellAndGoOn } from "./run-callbacks.ts";
import type { RunPlace } from "./run-place.ts";
import { runModel } from "./run-model.ts";
import { joinCluster, reachNote, sharedConfig, silentContext, workersNote } from "./worker-run.ts";

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

/**
 * Trains as a worker beside the chief, which has the run directory. `config` is missing if the run is resumed: then the chief gives it. Says at
 * the end how far the run came.
 */
export async function trainBeside(context: Context, config: RunConfig | undefined, place: RunPlace): Promise<void> {
  const { result, data } = await trainIn(silentContext(context), config, place);
  const { seat } = place.worker!;
  // Only this worker knows which images of its parts cannot be read.
  const sets = [data.train, data.validation].map((set) => set && { ...set, notes: [], decodedCache: undefined });
  dataNotes(context.out, ...sets)();
  const epochs = `${result.epochs} ${result.epochs === 1 ? "epoch" : "epochs"}`;
  const ending = result.interrupted ? `interrupted after ${result.steps} steps` : `ended after ${epochs}`;
  context.out.note(`${seat.members[seat.rank]!.name} of ${seat.members.length} workers: ${ending}`);
  throwIfOtherInterrupted(context, result);
}

/** Throws where a worker was told by another one that the run ends, so that its exit status says so, too. */
export function throwIfOtherInterrupted({ signal }: Context, { interrupted }: RunResult): void {
  if (interrupted && !signal.aborted)
    throw new CliError("Another worker was interrupted, and the run has ended with it.");
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
  given: RunConfig | undefined,
  place: RunPlace & { readonly claim?: RunClaim },
): Promise<EndedRun> {
  const { config, engine, threads, worker } = await beginRun(context, given, place);
  const isChief = worker?.isChief ?? true;
  const { plan, seed, precision, deterministic } = config;
  context.signal.throwIfAborted();
  const { model, preprocessing, data } = await runModel(context, config, place);
  const { targets } = data.train;
  context.signal.throwIfAborted();
  const tellNotes = dataNotes(context.out, data.train, data.validation, data.test);
  tellNotes();
  const made = environment(engine, worker?.count);
  const { classes } = data.train;
  if (isChief)
    await writeJson(runDirectory(place.folder).config, {
      ...config,
      preprocessing,
      classes,
      ...(targets && { targets }),
      environment: made,
    });
  const parameters = model.countParams();
  const version = engine.tensorflow === undefined ? "" : ` (TensorFlow ${engine.tensorflow})`;
  context.out.note(
    `${config.name}: ${grouped(parameters)} parameters, ${grouped(data.train.size)} images of ${data.name}, ${engine.name} engine${version}${worker === undefined ? "" : `, ${worker.count} workers`}, run directory ${place.folder}`,
  );
  const execution = { precision, deterministic, ...(threads !== undefined && { threads }) };
  const callbacks = () => (isChief ? runCallbacks(context, config, place) : decisions(config));
  const teacher =
    plan.distill && (await resolveModel(plan.distill.teacher, {}, seed, (note) => context.out.note(note)));
  const settings = {
    optimizer: plan.optimizer,
    epochs: plan.epochs,
    batch: plan.batch,
    seed,
    preprocessing,
    ...(await planObjective(plan, model, data.train)),
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
    ...(plan.augment && { augment: targets ? plan.augment : planAugmentation(plan.augment, classes.length) }),
    ...(plan.stepsPerEpoch !== undefined && { stepsPerEpoch: plan.stepsPerEpoch }),
    ...(plan.validationSteps !== undefined && { validationSteps: plan.validationSteps }),
    ...(teacher && { distill: { ...plan.distill, teacher: teacher.model } }),
    ...(plan.sampling && { sampling: plan.sampling }),
    ...(plan.repeats !== undefined && { repeats: plan.repeats }),
    ...(plan.syncBatchNorm !== undefined && { syncBatchNorm: plan.syncBatchNorm }),
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
  const isIdle =
    !isChief || judged === undefined || result.interrupted || (result.diverged && result.best === undefined);
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

/** Loads the engine, joins the other workers if there are any, and notes what a resumed run has otherwise. */
async function beginRun(context: Context, given: RunConfig | undefined, { worker: options, isResumed }: RunPlace) {
  const { engine, threads } =
    given === undefined
      ? { engine: await engineInUse(context), threads: context.options.threads }
      : await runEngine(context, given);
  const worker = options && (await joinCluster(options, engine));
  const config = worker === undefined ? given! : await sharedConfig(worker, given, isResumed);
  const { environment: before } = config;
  const note = isResumed && before !== undefined && workersNote(before.workers ?? 1, worker?.count ?? 1);
  for (const each of [note, worker && reachNote(worker)]) if (each) context.out.note(each);
  return { config, engine, threads, worker };
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
