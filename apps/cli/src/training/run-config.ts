import { readFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { dataSets } from "@convkit/datasets";
import type { Plan } from "@convkit/trainer";
import type { Context } from "../terminal/context.ts";
import { partsOf, planOf, scheduleOf, type TrainOptions } from "./plan.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { userFolder, userPath } from "../inputs/user-path.ts";
import type { Environment } from "./environment.ts";

/** All that `config.json` keeps, and that a resumed run is made from. */
export interface RunConfig {
  readonly name: string;
  readonly seed: number;
  readonly precision: "float32" | "bfloat16" | "float16";
  readonly deterministic: boolean;
  readonly plan: Plan;
  readonly dataFrom?: string;
  /** The weights that the network began with. */
  readonly weights?: string;
  /** Whether only the last layer with weights is trained. */
  readonly freeze?: boolean;
  /** Checkpoints of so many of the best epochs are kept besides the newest. */
  readonly keepBest?: number;
  /** What it was begun with and on; missing until its data was found. */
  readonly environment?: Environment;
}

/** What a new run is made from; paths are kept whole, so that it may go on from any folder. */
export function newConfig(context: Context, name: string | undefined, options: TrainOptions): RunConfig {
  if (name === undefined)
    throw new UsageError(
      "Give a recipe or a model to train, or --resume with a run directory; see convkit list --recipes.",
    );
  const { precision = "float32", deterministic = false, dataFrom, freeze, keepBest } = options;
  const plan = planOf(name, options);
  // With --arch the file that is named has the weights of that network.
  const weights = options.arch === undefined ? options.weights : name;
  return {
    name: basename(name, extname(name)),
    seed: context.options.seed ?? 0,
    precision,
    deterministic,
    plan: { ...plan, data: placeOf(plan.data) },
    ...(dataFrom !== undefined && { dataFrom: sourceOf(dataFrom) }),
    ...(freeze === true && { freeze }),
    ...(keepBest !== undefined && { keepBest }),
    ...(weights !== undefined && { weights: weightsOf(weights) }),
  };
}

/** What a run keeps to its end, and what it was begun with. */
const fixed = {
  data: ({ plan }) => plan.data,
  dataFrom: ({ dataFrom }) => dataFrom,
  validation: ({ plan }) => plan.validation,
  limit: ({ plan }) => plan.limit,
  batch: ({ plan }) => plan.batch,
  optimizer: ({ plan }) => plan.optimizer.name,
  lr: ({ plan }) => plan.optimizer.learningRate,
  schedule: ({ plan }) => plan.schedule,
  patience: ({ plan }) => plan.earlyStopping?.patience ?? 0,
  classes: ({ plan }) => plan.modelOptions?.classes,
  input: ({ plan }) => plan.modelOptions?.input,
  aux: ({ plan }) => plan.modelOptions?.aux,
  precision: ({ precision }) => precision,
  deterministic: ({ deterministic }) => deterministic,
  weights: ({ weights }) => weights,
  freeze: ({ freeze }) => freeze,
  keepBest: ({ keepBest }) => keepBest,
} as const satisfies Partial<Record<keyof TrainOptions, (config: RunConfig) => unknown>>;

/** How what is told is kept, where that is not as it is told. */
const keptAs: Partial<Record<keyof TrainOptions, (told: string) => unknown>> = {
  data: placeOf,
  dataFrom: sourceOf,
  schedule: scheduleOf,
  weights: weightsOf,
};

/** The options that would make another run of one that was begun; the same again are none. */
function changesOf(folder: string, config: RunConfig, { seed }: Context["options"], options: TrainOptions): string[] {
  const isKept = (told: unknown, kept: unknown) => told === undefined || JSON.stringify(told) === JSON.stringify(kept);
  const changed = Object.entries(fixed).flatMap(([name, keptBy]) => {
    const option = name as keyof typeof fixed;
    const told = options[option];
    const given = told === undefined ? undefined : (keptAs[option]?.(String(told)) ?? told);
    return isKept(given, keptBy(config))
      ? []
      : [`--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`];
  });
  // What was given of an optimizer, --optimizer and --lr may have changed since.
  const { optimizer: _, ...parts } = partsOf(options.plan);
  const isSamePlan = Object.entries(parts).every(([part, told]) => isKept(told, config.plan[part as keyof Plan]));
  return [
    ...changed,
    ...(isSamePlan ? [] : ["--plan"]),
    ...(isKept(seed, config.seed) ? [] : ["--seed"]),
    ...(isKept(options.out && userPath(options.out), folder) ? [] : ["--out"]),
  ];
}

/** What a run was made from, with more epochs if `options` say so. */
export async function resumedConfig(
  context: Context,
  folder: string,
  name: string | undefined,
  options: TrainOptions,
): Promise<RunConfig> {
  const text = await readFile(join(folder, "config.json"), "utf8").catch(() => {
    throw new UsageError(`Cannot resume ${folder}: there is no config.json, so it is no run directory.`);
  });
  const config = JSON.parse(text) as RunConfig;
  if (name !== undefined && name !== config.name)
    throw new UsageError(`${folder} is a run of ${config.name}, not of ${name}.`);
  const changed = changesOf(folder, config, context.options, options);
  if (changed.length > 0)
    throw new UsageError(
      `${changed.join(", ")} cannot change when a run goes on: ${join(folder, "config.json")} has what it was begun with; only --epochs may be another.`,
    );
  return options.epochs === undefined ? config : { ...config, plan: { ...config.plan, epochs: options.epochs } };
}

/** A data set's name, or the whole path of a folder. */
function placeOf(data: string): string {
  return Object.hasOwn(dataSets, data) ? data : userPath(data);
}

/** A URL, or the whole path of a folder. */
function sourceOf(from: string): string {
  return /^https?:/.test(from) ? from : userPath(from);
}

/** `imagenet`, or the whole path of a file. */
function weightsOf(weights: string): string {
  return weights === "imagenet" ? weights : userPath(weights);
}

/** Where a run goes without --out: runs/ below the user's folder, by name and time. */
export function defaultFolder(name: string): string {
  const stamp = new Date().toISOString().replaceAll(/[-:]/g, "").replace("T", "-").slice(0, 15);
  return join(userFolder(), "runs", `${name}-${stamp}`);
}
