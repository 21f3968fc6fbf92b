import { existsSync } from "node:fs";
import { isModelName, zoo } from "@convkit/models";
import {
  checkPlan,
  type OptimizerConfig,
  type OptimizerName,
  optimizerNames,
  parseSchedule,
  type Plan,
  type Recipe,
  recipes,
  type Schedule,
  TrainerError,
} from "@convkit/trainer";
import type { ModelOptions } from "../inputs/model-source.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { userPath } from "../inputs/user-path.ts";

/** What `convkit train` was told beside the name. */
export interface TrainOptions extends ModelOptions {
  readonly data?: string;
  readonly dataFrom?: string;
  readonly validation?: number;
  readonly limit?: number;
  readonly quick?: boolean;
  readonly epochs?: number;
  readonly batch?: number;
  readonly optimizer?: string;
  readonly lr?: number;
  readonly schedule?: string;
  /** The parts of the plan that have no option of their own, as JSON. */
  readonly plan?: string;
  readonly patience?: number;
  readonly precision?: "float32" | "bfloat16" | "float16";
  readonly deterministic?: boolean;
  readonly out?: string;
  readonly resume?: string;
  readonly keepBest?: number;
  readonly webhook?: string;
  readonly workers?: number;
  readonly strict?: boolean;
  readonly freeze?: boolean;
}

/** The plan of a recipe, of a network of the zoo or of a trained model, with what the options change. */
export function planOf(name: string, options: TrainOptions): Plan {
  const base = { ...basePlan(name, options), ...partsOf(options.plan) };
  const { data, validation, limit, epochs, batch, patience, classes, input, aux } = options;
  const modelOptions = {
    ...base.modelOptions,
    ...(classes && { classes }),
    ...(input && { input }),
    ...(aux && { aux }),
  };
  const { earlyStopping, expects, ...rest } = base;
  const stopping = patience === undefined ? earlyStopping : patience === 0 ? undefined : { ...earlyStopping, patience };
  // What a recipe promises holds for the recipe, not for what is made of it.
  const changed = [
    data,
    validation,
    limit,
    epochs,
    batch,
    patience,
    classes,
    input,
    options.lr,
    options.optimizer,
    options.schedule,
    options.plan,
    options.weights,
    options.freeze,
  ].some((each) => each !== undefined);
  return {
    ...rest,
    modelOptions,
    ...(expects && !changed && { expects }),
    ...(stopping && { earlyStopping: stopping }),
    ...(data !== undefined && { data }),
    ...(validation !== undefined && { validation }),
    ...(limit !== undefined && { limit }),
    ...(epochs !== undefined && { epochs }),
    ...(batch !== undefined && { batch }),
    ...(options.schedule !== undefined && { schedule: scheduleOf(options.schedule) }),
    optimizer: optimizerOf(base.optimizer, options),
  };
}

/** The parts of a plan that `--plan` may give. */
const parts = [
  "loss",
  "optimizer",
  "schedule",
  "augment",
  "classWeights",
  "outputWeights",
  "accumulate",
  "ema",
  "monitor",
  "earlyStopping",
  "reduceOnPlateau",
  "histograms",
] as const satisfies readonly (keyof Plan)[];

/** What `--plan` gives; a `UsageError` for what is no part of a plan. */
export function partsOf(json = "{}"): Partial<Plan> {
  let given: unknown;
  try {
    given = JSON.parse(json);
  } catch {
    given = undefined;
  }
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new UsageError(
      `--plan must be a JSON object, as in '{"loss": {"name": "focal"}, "ema": 0.99}', not ${json}.`,
    );
  const stray = Object.keys(given).filter((key) => !(parts as readonly string[]).includes(key));
  if (stray.length > 0) throw new UsageError(`--plan cannot set ${stray.join(", ")}: it may have ${parts.join(", ")}.`);
  // Nothing in the place of what a recipe has takes that away; a name alone stands for what has no options.
  const read = Object.entries(given).map(([key, value]: [string, unknown]) => [key, partOf(key, value)]);
  const plan = Object.fromEntries(read) as Partial<Plan>;
  try {
    checkPlan(plan);
  } catch (error) {
    throw new UsageError(`--plan will not do: ${(error as Error).message}`);
  }
  return plan;
}

function partOf(key: string, value: unknown): unknown {
  if (value === null) return undefined;
  if (typeof value !== "string") return value;
  if (key === "schedule") return scheduleOf(value);
  return key === "loss" || key === "optimizer" ? { name: value } : value;
}

function basePlan(name: string, options: TrainOptions): Plan {
  if (options.top === false)
    throw new UsageError("A network without its top tells no classes apart: leave out --no-top.");
  const recipe = (recipes as Readonly<Record<string, Recipe>>)[name];
  if (recipe !== undefined) {
    const { name: _name, about: _about, quick, ...plan } = recipe;
    return options.quick === true ? { ...plan, ...quick } : plan;
  }
  const model = isModelName(name) ? name : (options.arch ?? userPath(name));
  if (!isModelName(name) && !existsSync(userPath(name)))
    throw new UsageError(
      `Unknown recipe or model "${name}": it is neither a file nor a run directory here; the recipes are ${Object.keys(recipes).join(", ")}; the zoo has ${Object.keys(zoo).join(", ")}.`,
    );
  if (!isModelName(model) && (options.weights ?? options.input ?? options.aux) !== undefined)
    throw new UsageError(
      `--weights, --input and --aux are for networks of the zoo; ${name} has weights and a size of its own.`,
    );
  if (options.quick === true)
    throw new UsageError(
      `--quick is for recipes (${Object.keys(recipes).join(", ")}); ${name} is a network: give --data and --epochs.`,
    );
  if (options.data === undefined) throw new UsageError(`Training ${name} needs --data, a data set's name or a folder.`);
  return {
    model,
    data: options.data,
    optimizer: { name: "adam", learningRate: 0.001 },
    batch: 32,
    epochs: 10,
  };
}

function optimizerOf(base: OptimizerConfig, { optimizer, lr }: TrainOptions): OptimizerConfig {
  if (optimizer !== undefined && !(optimizerNames as readonly string[]).includes(optimizer))
    throw new UsageError(`Unknown optimizer "${optimizer}": the optimizers are ${optimizerNames.join(", ")}.`);
  const named = optimizer === undefined || optimizer === base.name ? base : { name: optimizer as OptimizerName };
  return lr === undefined ? named : { ...named, learningRate: lr };
}

/** What `--schedule` gives; a `UsageError` for what is no schedule. */
export function scheduleOf(text: string): Schedule {
  try {
    const schedule = parseSchedule(text);
    checkPlan({ schedule });
    return schedule;
  } catch (error) {
    throw error instanceof TrainerError ? new UsageError(error.message) : error;
  }
}
