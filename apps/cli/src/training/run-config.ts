import { existsSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Target } from "@convkit/datasets";
import { type EvaluationRuntime, type OptimizerName, optimizerNames, type Plan } from "@convkit/trainer";
import { flagOf } from "../terminal/option.ts";
import { guess } from "../terminal/guess.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { dataPlace } from "../inputs/load-data.ts";
import type { PreprocessingKind } from "../inputs/preprocessing-option.ts";
import { readConfig } from "../inputs/run-directory.ts";
import { userFolder, userPath } from "../inputs/user-path.ts";
import type { Environment } from "./environment.ts";
import { type AugmentName, withPolicy } from "./augment-names.ts";
import { basePlan, type BaseOptions, partsOf, scheduleOf, teacherPlace } from "./plan.ts";
import type { StoredAs, TrainOptionTable } from "./train-option.ts";

/** The content of `config.json`: all settings that a resumed run needs. */
export interface RunConfig {
  readonly name: string;
  readonly seed: number;
  readonly precision: "float32" | "bfloat16" | "float16";
  readonly deterministic: boolean;
  readonly plan: Plan;
  /** True for the quick form of a recipe. */
  readonly quick?: boolean;
  /** Threads of the engine, if the user gave a number. */
  readonly threads?: number;
  readonly dataFrom?: string;
  /** True if paths of a CSV file may be outside of its folder. */
  readonly outside?: boolean;
  /** The weights that the network started with. */
  readonly weights?: string;
  /** True if only the last layer with weights is trained. */
  readonly freeze?: boolean;
  readonly adaptChannels?: boolean;
  /** Which weights of a PyTorch checkpoint. */
  readonly state?: string;
  /** How images become the input, by the name of `--preprocessing`; missing if model and weights say it. */
  readonly preprocessingKind?: PreprocessingKind;
  /** Number of best epochs whose checkpoints are kept besides the newest. */
  readonly keepBest?: number;
  /** The runtime that validates a copy of the model; missing if the engine does. */
  readonly validationRuntime?: EvaluationRuntime;
  /** Number of folds of a cross-validation; missing for a single training. */
  readonly folds?: number;
  /** The fold (counted from 1) that this run of a cross-validation validates on. */
  readonly fold?: { readonly number: number; readonly of: number };
  /** Steps between measurements of gradients, updates and activations. */
  readonly health?: number;
  /** Steps between the losses and rates in `steps.csv`, TensorBoard and the tracker; missing for those of epochs alone. */
  readonly logSteps?: number;
  /** Names of the classes; missing until the data is loaded. */
  readonly classes?: readonly string[];
  /** What the images have beside or in place of a class; missing for classes alone, and until the data is loaded. */
  readonly targets?: Readonly<Record<string, Target>>;
  /** Versions and machine of the run; missing until its data is loaded. */
  readonly environment?: Environment;
}

/** The options of `convkit train` and the given values. */
export interface GivenOptions {
  readonly table: TrainOptionTable;
  readonly given: Readonly<Record<string, unknown>> & BaseOptions;
}

/**
 * The configuration of a new run. Paths are stored as absolute paths, so that the run can be resumed from any folder.
 */
export function newConfig(name: string | undefined, { table, given }: GivenOptions): RunConfig {
  if (name === undefined)
    throw new UsageError(
      "Give a recipe or a model to train, or --resume with a run directory; see convkit list --recipes.",
    );
  const { modelOptions = {}, ...plan } = basePlan(name, given);
  const base = {
    name: basename(name, extname(name)),
    seed: 0,
    precision: "float32",
    deterministic: false,
    plan: { ...plan, modelOptions },
  } as const;
  const { out: _out, ...stored } = given;
  const config = withOptions({ ...base, plan: { ...base.plan, data: dataPlace(plan.data) } }, { table, given: stored });
  if (given["folds"] !== undefined && given["validation"] !== undefined)
    throw new UsageError("--folds validates on each fold in turn: leave out --validation.");
  const { expects, ...others } = config.plan;
  // A recipe's validation images stay in the folds.
  const { validation: _validation, ...unvalidated } = others;
  const rest = given["folds"] === undefined ? others : unvalidated;
  // A recipe's promised accuracy holds for the recipe itself, not for a variation of it.
  const isRecipe = Object.entries(table).every(
    ([option, { at, keepsPromise = false }]) => given[option] === undefined || at === undefined || keepsPromise,
  );
  return {
    ...config,
    plan: isRecipe && expects !== undefined ? { ...rest, expects } : rest,
    // With --arch, the named file contains the weights of that network.
    ...(given.arch !== undefined && { weights: userPath(name) }),
  };
}

/**
 * The configuration of the run in `folder`, updated with the options that may change. Throws a `UsageError` for other
 * changes.
 */
export async function resumedConfig(
  folder: string,
  name: string | undefined,
  { table, given }: GivenOptions,
): Promise<RunConfig> {
  const file = join(folder, "config.json");
  if (!existsSync(file))
    throw new UsageError(`Cannot resume ${folder}: there is no config.json, so it is no run directory.`);
  const config = (await readConfig(file)) as RunConfig;
  if (name !== undefined && basename(name, extname(name)) !== config.name)
    throw new UsageError(`${folder} is a run of ${config.name}, not of ${name}.`);
  const changed = changedOptions({ ...config, folder }, { table, given });
  if (changed.length > 0) {
    const free = Object.keys(table).filter((option) => table[option]!.resume === "may change");
    throw new UsageError(
      `${changed.map(flagOf).join(", ")} cannot change when a run goes on: ${file} has the values it began with; only ${free.map(flagOf).join(" and ")} may change.`,
    );
  }
  const changes = Object.entries(given).filter(([option]) => table[option]?.resume === "may change");
  return withOptions(config, { table, given: Object.fromEntries(changes) });
}

/** Options that conflict with a stored run; repeating a stored value is allowed. */
function changedOptions(stored: RunConfig & { readonly folder: string }, { table, given }: GivenOptions): string[] {
  const kept = Object.keys(given).filter((option) => given[option] !== undefined && table[option]?.resume === "keep");
  const isSame = (options: readonly string[]): boolean => {
    const chosen = Object.fromEntries(options.map((option) => [option, given[option]]));
    return isDeepStrictEqual(plainJson(withOptions(stored, { table, given: chosen })), plainJson(stored));
  };
  if (isSame(kept)) return [];
  // --optimizer and --lr override the optimizer of --plan.
  return kept.filter((option) => !isSame(option === "plan" ? kept.filter((each) => partsOfPlan.has(each)) : [option]));
}

const partsOfPlan = new Set([
  "augment",
  "plan",
  "optimizer",
  "lr",
  "weightDecay",
  "layerDecay",
  "clipNorm",
  "recipe",
  "headEpochs",
  "teacher",
  "schedule",
  "patience",
]);

function plainJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** A configuration with the values of the given options, in the table's order. */
function withOptions<Config extends RunConfig>(config: Config, { table, given }: GivenOptions): Config {
  return Object.entries(table).reduce((changed, [option, { at, as }]) => {
    const value = given[option];
    if (value === undefined || at === undefined) return changed;
    const path = at.split(".");
    return replaced(changed, path, as === undefined ? value : storedForm[as](value as never, valueAt(changed, path)));
  }, config);
}

/** Converts typed values to their stored form; `before` is the stored value so far. */
const storedForm: { readonly [As in StoredAs]: (value: never, before: unknown) => unknown } = {
  data: dataPlace,
  source: (from: string) => (/^https?:/.test(from) ? from : userPath(from)),
  weights: (weights: string) => (weights === "imagenet" ? weights : userPath(weights)),
  folder: (folder: string) => userPath(folder),
  teacher: teacherPlace,
  schedule: scheduleOf,
  optimizer(name: string, before) {
    if (!(optimizerNames as readonly string[]).includes(name))
      throw new UsageError(
        `Unknown optimizer "${name}": the optimizers are ${optimizerNames.join(", ")}.${guess(name, optimizerNames)}`,
      );
    return (before as Plan["optimizer"]).name === name ? before : { name: name as OptimizerName };
  },
  recipe: (_name: "fine-tune", before) => before ?? {},
  patience: (epochs: number, before) =>
    epochs === 0 ? undefined : { ...(before as Plan["earlyStopping"]), patience: epochs },
  augment: (name: AugmentName, before) => withPolicy(name, before as object | undefined),
  parts: (json: string, before) => ({ ...(before as Plan), ...partsOf(json) }),
};

function valueAt(object: unknown, path: readonly string[]): unknown {
  return path.reduce((value, key) => (value as Record<string, unknown> | undefined)?.[key], object);
}

/** A copy of an object with a new value at a path; `undefined` removes the key. */
function replaced<T>(object: T, [key, ...rest]: readonly string[], value: unknown): T {
  if (key === undefined) return value as T;
  const { [key]: before, ...others } = object as Record<string, unknown>;
  const made = replaced(before ?? {}, rest, value);
  if (made === undefined) return others as T;
  return { ...(object as object), [key]: made } as T;
}

/** The default folder of a run: runs/ in the user's folder, with name and time. */
export function defaultFolder(name: string): string {
  const stamp = new Date().toISOString().replaceAll(/[-:]/g, "").replace("T", "-").slice(0, 15);
  return join(userFolder(), "runs", `${name}-${stamp}`);
}
