import { readFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { dataSets } from "@convkit/datasets";
import type { Plan } from "@convkit/trainer";
import type { Context } from "./context.ts";
import { planOf, type TrainOptions } from "./plan.ts";
import { UsageError } from "./usage-error.ts";
import { userFolder, userPath } from "./user-path.ts";

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
}

/** What a new run is made from; paths are kept whole, so that it may go on from any folder. */
export function newConfig(context: Context, name: string | undefined, options: TrainOptions): RunConfig {
  if (name === undefined)
    throw new UsageError(
      "Give a recipe or a model to train, or --resume with a run directory; see convkit list --recipes.",
    );
  const { precision = "float32", deterministic = false, dataFrom, freeze } = options;
  const plan = planOf(name, options);
  // With --arch the file that is named has the weights of that network.
  const weights = options.arch === undefined ? options.weights : name;
  return {
    name: basename(name, extname(name)),
    seed: context.options.seed ?? 0,
    precision,
    deterministic,
    plan: Object.hasOwn(dataSets, plan.data) ? plan : { ...plan, data: userPath(plan.data) },
    ...(dataFrom !== undefined && { dataFrom: /^https?:/.test(dataFrom) ? dataFrom : userPath(dataFrom) }),
    ...(freeze === true && { freeze }),
    ...(weights !== undefined && { weights: weights === "imagenet" ? weights : userPath(weights) }),
  };
}

/** What a run was made from, with more epochs if `options` say so. */
export async function resumedConfig(
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
  return options.epochs === undefined ? config : { ...config, plan: { ...config.plan, epochs: options.epochs } };
}

/** Where a run goes without --out: runs/ below the user's folder, by name and time. */
export function defaultFolder(name: string): string {
  const stamp = new Date().toISOString().replaceAll(/[-:]/g, "").replace("T", "-").slice(0, 15);
  return join(userFolder(), "runs", `${name}-${stamp}`);
}
