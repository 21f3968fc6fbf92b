import { existsSync, readFileSync } from "node:fs";
import { isModelName, zoo } from "@convkit/models";
import {
  checkPlan,
  parseSchedule,
  type Plan,
  type Recipe,
  recipes,
  type Schedule,
  TrainerError,
} from "@convkit/trainer";
import { guess } from "../terminal/guess.ts";
import { UsageError } from "../terminal/usage-error.ts";
import type { ModelOptions } from "../inputs/model-options.ts";
import { userPath } from "../inputs/user-path.ts";
import { maskNetwork } from "./mask-network.ts";

/** The options that select the initial plan. */
export interface BaseOptions extends Pick<ModelOptions, "top" | "pooling" | "arch" | "weights" | "input" | "aux"> {
  readonly data?: string | undefined;
  readonly quick?: boolean | undefined;
  readonly recipe?: "fine-tune" | undefined;
  readonly freeze?: boolean | undefined;
}

/** The plan of a recipe, of a network of the zoo or of a trained model, before the options change it. */
export function basePlan(name: string, options: BaseOptions): Plan {
  if (options.top === false)
    throw new UsageError("A network without its top tells no classes apart: leave out --no-top.");
  if (options.pooling !== undefined)
    throw new UsageError("--pooling is for networks without their top: leave out --pooling.");
  if (options.recipe !== undefined && options.freeze === true)
    throw new UsageError("--recipe fine-tune freezes and thaws layers itself: leave out --freeze.");
  const recipe = Object.hasOwn(recipes, name) ? (recipes as Readonly<Record<string, Recipe>>)[name] : undefined;
  if (recipe !== undefined) {
    const { name: _name, about: _about, quick, ...plan } = recipe;
    return options.quick === true ? { ...plan, ...quick } : plan;
  }
  if (name === maskNetwork) return maskPlan(options);
  const model = isModelName(name) ? name : (options.arch ?? userPath(name));
  if (!isModelName(name) && !existsSync(userPath(name)))
    throw new UsageError(
      `Unknown recipe or model "${name}": it is neither a file nor a run directory here; the recipes are ${Object.keys(recipes).join(", ")}; the zoo has ${Object.keys(zoo).join(", ")}.${guess(name, [...Object.keys(recipes), ...Object.keys(zoo)])}`,
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
  const shared = { model, data: options.data, batch: 32 };
  return options.recipe === undefined
    ? { ...shared, optimizer: { name: "adam", learningRate: 0.001 }, epochs: 10 }
    : {
        ...shared,
        optimizer: { name: "adamw", learningRate: 0.002 },
        schedule: { name: "one-cycle" },
        epochs: 3,
        fineTune: {},
      };
}

/** The plan of a network for masks. */
function maskPlan({ data, quick, recipe, weights, aux }: BaseOptions): Plan {
  if ((quick ?? recipe ?? weights ?? aux) !== undefined)
    throw new UsageError(`${maskNetwork} takes no --quick, --recipe, --weights and --aux: leave them out.`);
  if (data === undefined) throw new UsageError(`Training ${maskNetwork} needs --data, a folder with images and masks.`);
  return { model: maskNetwork, data, batch: 8, optimizer: { name: "adam", learningRate: 0.001 }, epochs: 10 };
}

/** The parts of a plan that `--plan` may give. */
const parts = [
  "loss",
  "metrics",
  "lossWeights",
  "columns",
  "masks",
  "optimizer",
  "schedule",
  "augment",
  "classWeights",
  "outputWeights",
  "accumulate",
  "stepsPerEpoch",
  "validationSteps",
  "syncBatchNorm",
  "stratify",
  "sampling",
  "repeats",
  "ema",
  "swa",
  "monitor",
  "earlyStopping",
  "reduceOnPlateau",
  "histograms",
  "fineTune",
  "distill",
] as const satisfies readonly (keyof Plan)[];

/**
 * Parses the parts of a plan from `--plan`: JSON, or `@` and a file with JSON. Throws a `UsageError` for anything else.
 */
export function partsOf(text: string): Partial<Plan> {
  const json = text.startsWith("@") ? planFile(text.slice(1)) : text;
  let given: unknown;
  try {
    given = JSON.parse(json);
  } catch {
    given = undefined;
  }
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new UsageError(
      `--plan must be a JSON object, as in '{"loss": {"name": "focal"}, "ema": 0.99}', or @ and a file with one, not ${text}.`,
    );
  const stray = Object.keys(given).filter((key) => !(parts as readonly string[]).includes(key));
  if (stray.length > 0) throw new UsageError(`--plan cannot set ${stray.join(", ")}: it may have ${parts.join(", ")}.`);
  // `null` removes a part of the recipe; a name alone stands for a part without options.
  const read = Object.entries(given).map(([key, value]: [string, unknown]) => [key, partOf(key, value)]);
  const plan = Object.fromEntries(read) as Partial<Plan>;
  try {
    checkPlan(plan);
  } catch (error) {
    throw new UsageError(`--plan is invalid: ${(error as Error).message}`);
  }
  return plan;
}

function planFile(path: string): string {
  try {
    return readFileSync(userPath(path), "utf8");
  } catch (error) {
    throw new UsageError(`--plan @${path}: expected a file with a JSON object, but it cannot be read.`, {
      cause: error,
    });
  }
}

/** The stored form of `--teacher`: an absolute path. */
export function teacherPlace(name: string): string {
  const path = userPath(name);
  if (existsSync(path)) return path;
  throw new UsageError(`--teacher must be a trained model, a file or a run directory; ${name} is neither.`);
}

function partOf(key: string, value: unknown): unknown {
  if (value === null) return undefined;
  const { teacher } = (key === "distill" ? value : {}) as { readonly teacher?: unknown };
  if (typeof teacher === "string") return { ...(value as object), teacher: teacherPlace(teacher) };
  if (typeof value !== "string") return value;
  if (key === "schedule") return scheduleOf(value);
  return key === "loss" || key === "optimizer" ? { name: value } : value;
}

/** Reads `--schedule`; throws a `UsageError` if it is not a schedule. */
export function scheduleOf(text: string): Schedule {
  try {
    const schedule = parseSchedule(text);
    checkPlan({ schedule });
    return schedule;
  } catch (error) {
    throw error instanceof TrainerError ? new UsageError(error.message) : error;
  }
}
