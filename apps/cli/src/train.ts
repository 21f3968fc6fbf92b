import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { DataSplits, IndexedDataset } from "@convkit/datasets";
import { findArchitecture } from "@convkit/models";
import {
  type Callback,
  claimRunDirectory,
  earlyStopping,
  evaluate,
  type Plan,
  planAugmentation,
  reduceOnPlateau,
  report,
  runDirectory,
  tensorBoard,
  terminateOnNaN,
  train as trainModel,
  writeFileAtomic,
  writeJson,
} from "@convkit/trainer";
import type { Context } from "./context.ts";
import { engineInUse } from "./engine-in-use.ts";
import { bytes, duration, grouped, percent } from "./format.ts";
import { loadSplits } from "./load-data.ts";
import { planOf, type TrainOptions } from "./plan.ts";
import { trainingProgress } from "./progress.ts";
import { resizedData } from "./resized-data.ts";
import { resolveModel } from "./resolve-model.ts";
import { UsageError } from "./usage-error.ts";
import { userFolder, userPath } from "./user-path.ts";
import { environment } from "./versions.ts";

/** All that `config.json` keeps, and that a resumed run is made from. */
interface RunConfig {
  readonly name: string;
  readonly seed: number;
  readonly precision: "float32" | "bfloat16" | "float16";
  readonly deterministic: boolean;
  readonly plan: Plan;
  readonly dataFrom?: string;
}

/** `convkit train`: trains a recipe or a network, and leaves a run directory. */
export async function train(context: Context, name: string | undefined, options: TrainOptions): Promise<void> {
  const { out, signal } = context;
  const resume = options.resume === undefined ? undefined : userPath(options.resume);
  const config = resume === undefined ? newConfig(context, name, options) : await resumedConfig(resume, name, options);
  const folder = resume ?? (options.out === undefined ? defaultFolder(config.name) : userPath(options.out));
  const release = await claimRunDirectory(folder, { fresh: resume === undefined });
  try {
    const engine = await engineInUse(context);
    if (config.precision !== "float32" && engine.backend !== "tensorflow")
      throw new UsageError(
        `--precision ${config.precision} needs the gpu or the native engine; the ${engine.name} engine computes in float32.`,
      );
    const data = await dataOf(context, config, options);
    const { plan, seed } = config;
    const { classes = outputsFor(plan.model, data.train.classes.length), ...modelOptions } = plan.modelOptions ?? {};
    const { model, preprocessing } = await resolveModel(plan.model, { classes, ...(modelOptions as object) }, seed);
    const places = runDirectory(folder);
    await writeJson(places.config, {
      ...config,
      preprocessing,
      classes: data.train.classes,
      environment: environment(engine),
    });
    out.note(
      `${config.name}: ${grouped(model.countParams())} parameters, ${grouped(data.train.size)} images of ${data.name}, ${engine.name} engine${engine.tensorflow === undefined ? "" : ` (TensorFlow ${engine.tensorflow})`}, run directory ${folder}`,
    );
    const result = await trainModel({
      model,
      data,
      optimizer: plan.optimizer,
      epochs: plan.epochs,
      batch: plan.batch,
      seed,
      preprocessing,
      callbacks: [trainingProgress(out), ...callbacksOf(plan)],
      out: folder,
      resume: resume !== undefined,
      metadata: { name: config.name, classes: data.train.classes, preprocessing },
      execution: {
        precision: config.precision,
        deterministic: config.deterministic,
        ...(context.options.threads !== undefined && { threads: context.options.threads }),
      },
      signal,
      ...(plan.loss && { loss: plan.loss }),
      ...(plan.augment && { augment: planAugmentation(plan.augment, data.train.classes.length) }),
      ...(plan.accumulate && { accumulate: plan.accumulate }),
      ...(plan.ema && { ema: plan.ema }),
      ...(plan.schedule && { schedule: plan.schedule }),
      ...(plan.monitor && { monitor: plan.monitor }),
      ...(plan.outputWeights && { outputWeights: plan.outputWeights }),
    });
    const judged = data.test ?? data.validation;
    const test =
      judged === undefined || result.interrupted
        ? undefined
        : await evaluate(model, judged, { preprocessing, ...(plan.loss && { loss: plan.loss }) });
    const { history: _history, ...told } = result;
    const scores = test && { images: test.count, loss: test.loss, accuracy: test.top1, top5: test.top5, auc: test.auc };
    await writeFileAtomic(
      places.report,
      await report({
        title: config.name,
        subtitle: `${plan.model} on ${data.name}, ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`,
        result,
        parameters: model.countParams(),
        environment: Object.fromEntries(
          Object.entries(environment(engine)).map(([key, value]) => [
            key,
            key === "memory" ? bytes(Number(value)) : String(value),
          ]),
        ),
        config,
        ...(test !== undefined &&
          judged !== undefined && {
            evaluation: test,
            judged: { split: data.test === undefined ? "validation" : "test", data: judged },
          }),
      }),
    );
    await writeJson(places.metrics, { ...told, test: test && { ...test, mistakes: test.mistakes } });
    const document = {
      run: folder,
      epochs: result.epochs,
      best: result.best ?? null,
      final: result.final === undefined ? null : pick(result.final),
      test: scores ?? null,
      seconds: result.seconds,
      imagesPerSecond: result.imagesPerSecond,
      timings: result.timings,
      stopReason: result.stopReason ?? null,
      interrupted: result.interrupted,
    };
    const ending = result.interrupted
      ? `Interrupted after ${result.steps} steps; continue with convkit train --resume ${folder}`
      : `${result.epochs} epochs in ${duration(result.seconds)} (${Math.round(result.imagesPerSecond)} images/s)${result.stopReason === undefined ? "" : `, stopped: ${result.stopReason}`}`;
    const tested =
      scores === undefined
        ? []
        : [
            `${data.test === undefined ? "validation" : "test"}: loss ${scores.loss.toFixed(4)}, accuracy ${percent(scores.accuracy)} on ${grouped(scores.images)} images`,
          ];
    out.result(document, [ending, ...tested, `run directory: ${folder}`].join("\n"));
    if (plan.expects !== undefined && scores !== undefined && scores.accuracy < plan.expects.accuracy)
      throw new Error(
        `${config.name} must reach ${percent(plan.expects.accuracy)} but reached ${percent(scores.accuracy)}.`,
      );
  } finally {
    await release();
  }
}

function newConfig(context: Context, name: string | undefined, options: TrainOptions): RunConfig {
  if (name === undefined)
    throw new UsageError(
      "Give a recipe or a model to train, or --resume with a run directory; see convkit list --recipes.",
    );
  const { precision = "float32", deterministic = false, dataFrom } = options;
  return {
    name,
    seed: context.options.seed ?? 0,
    precision,
    deterministic,
    plan: planOf(name, options),
    ...(dataFrom !== undefined && { dataFrom }),
  };
}

async function resumedConfig(folder: string, name: string | undefined, options: TrainOptions): Promise<RunConfig> {
  const text = await readFile(join(folder, "config.json"), "utf8").catch(() => {
    throw new UsageError(`Cannot resume ${folder}: there is no config.json, so it is no run directory.`);
  });
  const config = JSON.parse(text) as RunConfig;
  if (name !== undefined && name !== config.name)
    throw new UsageError(`${folder} is a run of ${config.name}, not of ${name}.`);
  return options.epochs === undefined ? config : { ...config, plan: { ...config.plan, epochs: options.epochs } };
}

function defaultFolder(name: string): string {
  const stamp = new Date().toISOString().replaceAll(/[-:]/g, "").replace("T", "-").slice(0, 15);
  return join(userFolder(), "runs", `${name}-${stamp}`);
}

/** How many outputs a network of the zoo has for that many classes: one that says yes or no keeps it for two. */
function outputsFor(model: string, classes: number): number {
  return findArchitecture(model).classes === 1 && classes === 2 ? 1 : classes;
}

async function dataOf(
  context: Context,
  { plan, dataFrom, seed }: RunConfig,
  { workers, strict }: TrainOptions,
): Promise<DataSplits<IndexedDataset>> {
  const { data, validation, limit, model, modelOptions } = plan;
  const [height, width, channels] = modelOptions?.input ?? findArchitecture(model).input;
  const splits = await loadSplits(context, {
    data,
    seed,
    image: [height, width, channels],
    ...(dataFrom !== undefined && { dataFrom }),
    ...(limit !== undefined && { limit }),
    ...(typeof validation === "number" && { validation }),
    ...(workers !== undefined && { workers }),
    ...(strict !== undefined && { strict }),
  });
  for (const { file, reason } of [splits.train, splits.validation, splits.test].flatMap((set) => set?.skipped ?? []))
    context.out.note(`left out ${file}: ${reason}`);
  const sized = plan.resize === true ? mapSplits(splits, (set) => resizedData(set, [height, width])) : splits;
  return validation === "test" && sized.test !== undefined ? { ...sized, validation: sized.test } : sized;
}

function mapSplits(
  splits: DataSplits<IndexedDataset>,
  change: (set: IndexedDataset) => IndexedDataset,
): DataSplits<IndexedDataset> {
  const { name, train, validation, test } = splits;
  return {
    name,
    train: change(train),
    ...(validation && { validation: change(validation) }),
    ...(test && { test: change(test) }),
  };
}

function callbacksOf(plan: Plan): Callback[] {
  return [
    tensorBoard({ histograms: plan.histograms ?? 0 }),
    terminateOnNaN(),
    ...(plan.earlyStopping ? [earlyStopping(plan.earlyStopping)] : []),
    ...(plan.reduceOnPlateau ? [reduceOnPlateau(plan.reduceOnPlateau)] : []),
  ];
}

function pick({
  loss,
  accuracy,
  valLoss,
  valAccuracy,
}: {
  loss: number;
  accuracy: number;
  valLoss?: number;
  valAccuracy?: number;
}) {
  return { loss, accuracy, valLoss: valLoss ?? null, valAccuracy: valAccuracy ?? null };
}
