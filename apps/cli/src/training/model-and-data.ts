import type { IndexedDataset } from "@convkit/datasets";
import type { Context } from "../terminal/context.ts";
import { dataNotes } from "../inputs/data-notes.ts";
import { type GivenTargets, targetsGiven } from "../inputs/data-options.ts";
import { dataPlace } from "../inputs/load-data.ts";
import type { ModelOptions } from "../inputs/model-options.ts";
import type { ResolvedModel } from "../inputs/model-source.ts";
import { userPath } from "../inputs/user-path.ts";
import { basePlan } from "./plan.ts";
import { type Objective, planObjective } from "./plan-objective.ts";
import { runModel } from "./run-model.ts";

/** The options of a command that trains a little, without a run. */
export interface TrainingInputs extends ModelOptions, GivenTargets {
  /** The images; a recipe's own by default. */
  readonly data?: string | undefined;
  readonly dataFrom?: string | undefined;
  readonly outside?: boolean | undefined;
  readonly widths?: readonly number[] | undefined;
}

/** The model, the training images and what is minimized, with which `convkit train` begins. */
export async function modelAndData(
  context: Context,
  name: string,
  given: TrainingInputs,
): Promise<ResolvedModel & { readonly train: IndexedDataset; readonly objective: Objective }> {
  const { data, dataFrom, outside, arch, weights, adaptChannels, state, preprocessing } = given;
  const { classes, input, aux, widths } = given;
  const plan = basePlan(name, given);
  const file = arch === undefined ? weights : name;
  const resolved = await runModel(context, {
    plan: {
      ...plan,
      data: dataPlace(data ?? plan.data),
      modelOptions: { ...plan.modelOptions, ...defined({ classes, input, aux, widths }) },
      ...targetsGiven(given),
    },
    seed: context.options.seed ?? 0,
    ...defined({ dataFrom, outside, adaptChannels, state }),
    ...(file !== undefined && { weights: file === "imagenet" ? file : userPath(file) }),
    ...(preprocessing !== undefined && { preprocessingKind: preprocessing }),
  });
  const { train } = resolved.data;
  dataNotes(context.out, train)();
  return { ...resolved, train, objective: await planObjective(plan, resolved.model, train) };
}

/** The entries with a value. */
function defined<T extends object>(given: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;
}
